"""Whom an answer speaks of: I, we, you. Only for languages whose words for it are known here; a guess by common words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

FORMS = ("I", "we", "you", "polite you")

# For each language: its commonest words, by which it is known, and its words for FORMS. Those with a capital letter count
# only where they are written with one ("Sie" is you, "sie" is she).
LANGUAGES = {
    "English": ("the and of to is that it", "i me my mine", "we us our ours", "you your yours", ""),
    "German": ("der die und das ist nicht den", "ich mich mir mein meine meinen", "wir uns unser unsere", "du dich dir dein deine euch", "Sie Ihnen Ihr Ihre Ihren Ihrem"),
    "French": ("le la les et est des une que", "je j me moi mon ma mes", "nous notre nos on", "tu te toi ton ta tes", "vous votre vos"),
    "Spanish": ("el los que y es una por con", "yo me mi mis", "nosotros nos nuestro nuestra", "tú te ti tu tus", "usted ustedes"),
    "Italian": ("il che di è per una della non", "io mi mio mia miei", "noi ci nostro nostra", "tu ti te tuo tua", "Lei Le Suo Sua"),
    "Portuguese": ("o que os em não uma para é do da", "eu me meu minha", "nós nos nosso nossa", "tu te ti teu tua", "você vocês senhor senhora"),
    "Dutch": ("de het een en van is dat niet", "ik me mij mijn", "wij we ons onze", "je jij jou jouw jullie", "u uw"),
    "Polish": ("w z na nie się jest do że", "ja mnie mi mój moja", "my nas nam nasz nasza", "ty ciebie ci cię twój twoja", "pan pani państwo pana panu"),
    "Russian": ("и в не на что это с по", "я меня мне мой моя", "мы нас нам наш наша", "ты тебя тебе твой твоя", "вы вас вам ваш ваша"),
}  # fmt: skip
KNOWN = 0.08  # of all words must be among the commonest of a language, or it is none of these


def parts(words: Sequence[str]) -> list[str]:
    """Words taken apart at apostrophes: "you're" speaks of you, "j'ai" of I."""
    return [part for word in words for part in word.replace("’", "'").split("'")]


def language(words: Sequence[str]) -> str:
    """The language that these words, in small letters, are most likely of; "" where it is none of those known here."""
    times = Counter(parts(words))
    shares = {
        name: sum(times[each] for each in common.split()) / max(len(words), 1)
        for name, (common, *_) in LANGUAGES.items()
    }
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= KNOWN else ""


def addressed(words: Sequence[str], language: str) -> dict[str, int]:
    """How often each form stands among the words, which are as they were written."""
    times = Counter(parts(words))
    small = Counter(parts([word.lower() for word in words]))
    return {
        form: sum(small[each] if each.islower() else times[each] for each in listed.split())
        for form, listed in zip(FORMS, LANGUAGES[language][1:], strict=True)
        if listed
    }
