"""What the offline check takes for English, and what it leaves unread."""

from bot.model.language import Languages, Reading

LANGUAGES = Languages()


def read_as(texts: list[str], expected: Reading) -> dict[str, Reading]:
    """The texts that are not read as expected."""
    readings = {text: LANGUAGES.read(text) for text in texts}
    return {text: reading for text, reading in readings.items() if reading is not expected}


def test_another_language_is_known_for_one() -> None:
    texts = [
        "Eres un imbécil.",
        "T'es vraiment con, tu sais.",
        "Du bist so ein Idiot.",
        "Halt die Klappe.",
        "Gracias por nada.",
        "Como ya te dije en mi último correo, el informe es para el viernes.",
        "Comme je l'ai déjà dit dans mon dernier mail, c'est pour vendredi.",
        "Wie bereits in meiner letzten Mail erwähnt, brauche ich das bis Freitag.",
        "Kannst du einmal deinen Job machen?",
        "Grazie mille per l'aiuto, davvero utile.",
        "Você é um idiota.",
        "Je bent echt een eikel.",
        "Dzięki za nic.",
        "Du är en idiot.",
        "Teşekkürler, hiç yardımcı olmadın.",
        "Ты идиот.",
        "你是个白痴。",
        "闭嘴。",
        "やっと返信する気になったんですね。",
        "넌 바보야.",
        "أنت غبي.",
        "तुम बेवकूफ हो।",
        "אתה אידיוט",
        "Είσαι ηλίθιος.",
        "คุณโง่มาก",
        "Bạn thật ngu ngốc.",
        "Kamu bodoh sekali.",
        "[[1:@Maria]]: eres lo peor que le ha pasado a este equipo :unamused:",
        "HALT DIE KLAPPE UND MACH DEINEN JOB!",
    ]
    assert read_as(texts, Reading.FOREIGN) == {}


def test_one_sentence_in_another_language_leaves_a_draft_partly_unread() -> None:
    texts = [
        "Thanks for the report, I'll read it today. Pero la próxima vez avísame antes de las nueve.",
        "Hi Jonas, the build is green again.\nDas hättest du auch selber googeln können.",
        "Let me know when you're back! Tu ne sers vraiment à rien dans cette équipe.",
        "The client wrote again. 谢谢你终于回复了。 What do we answer?",
    ]
    assert read_as(texts, Reading.PARTLY) == {}


def test_short_english_names_code_and_commands_are_english() -> None:
    texts = [
        "ok",
        "lgtm",
        "LGTM :shipit:",
        "ty!",
        "np bro :)",
        "haha",
        "brb",
        "+1",
        "👍",
        "...",
        "Müller",
        "José García",
        "Zoë, Björn & Siobhán",
        "Łukasz: done",
        "São Paulo or Zürich?",
        "the résumé of the naïve café owner",
        "10 kΩ, 5 µF",
        "α and β are both fine",
        "sudo apt-get install mozilla-firefox",
        "git rebase -i HEAD~3 && git push --force-with-lease",
        "`const größe = breite * höhe;` is fine",
        "> Das ist ja mal wieder typisch.\nWhat does that mean?",
        'He said "das ist mir egal" and left.',
        "https://es.wikipedia.org/wiki/Gracias_por_nada",
        "kubectl get pods -n prod",
        "deploy ping pong demo",
        "Bonjour!",
        "merci",
        "Per our chat: ETA Q3, FYI @dana",
        "c'est la vie, on to the next one",
    ]
    assert read_as(texts, Reading.ENGLISH) == {}
