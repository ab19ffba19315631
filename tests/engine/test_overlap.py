from studio.engine.overlap import chrf


def test_what_is_nearer_to_the_experts_answer_has_more_in_common_with_it():
    expert = "The label is on its way to you now."

    same, near, far, other_script, none = chrf(
        [expert, "Your label is on the way.", "I'm happy to help!", "标签已经在路上了。", ""], [expert] * 5
    )

    assert same == 100
    assert same > near > 2 * far
    assert other_script == none == 0


def test_it_works_without_spaces():
    near, far = chrf(["标签在路上。", "我很高兴帮助您。"], ["标签已经在路上了。"] * 2)

    assert near > 3 * far
