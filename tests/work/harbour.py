"""A project on the rehearsal model with a kept prompt, and as many conversations as it takes to hold some out."""

from studio.core.records import Change, Message
from studio.work import models, planning, prompts, writing


def project(studio, person, held_out):
    made = writing.project(studio, "harbour")
    models.choose(studio, person, made.id, "rehearsal")
    models.ensure(studio, made.id, lambda done, total: None)
    prompts.keep(studio, person, made.id, "brief", "Be brief.")
    number = 0
    while len(planning.sides(studio, made.id).held_out) < held_out:
        talk = (
            Message("user", f"Where is parcel {number}?"),
            Message("assistant", f"On boat {number} it is."),
        )
        writing.save(studio, person, Change(f"r{number}", made.id, "", 0, talk))
        number += 1
    return made
