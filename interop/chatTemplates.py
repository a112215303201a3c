"""Asks transformers to render chats, and writes goldens/templates/rendered.json.

    python interop/chatTemplates.py TESTDATA

Needs `pip install transformers==5.23.0 jinja2==3.1.6`. The date that some templates ask for is fixed.
"""

import datetime
import json
import sys
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

OUT = Path(__file__).resolve().parent.parent / "goldens" / "templates"
TODAY = datetime.datetime(2026, 3, 5, 14, 7, 9)

user = lambda content: {"role": "user", "content": content}
assistant = lambda content: {"role": "assistant", "content": content}
system = lambda content: {"role": "system", "content": content}
CHATS = {
    "question": [user("What is 2 + 2?")],
    "answered": [user("What is 2 + 2?"), assistant("It is 4.")],
    "system": [system("You are terse."), user("Hi"), assistant("Hello."), user("Bye")],
    "long": [
        user("First\n\nquestion"), assistant("First answer, in two lines:\n- a\n- b"),
        user("Second <question> & \"quotes\" 日本 🦙"), assistant("Second 'answer' é\u0301"),
    ],
    "spaces": [user("  padded question \n"), assistant("  padded answer \n")],
    "repeated": [user("yes"), assistant("yes"), user("yes"), assistant("yes")],
    "thinking": [user("Why?"), assistant("<think>\nHm.\n</think>\n\nBecause.")],
    "empty": [user(""), assistant("")],
    "disorder": [assistant("I begin."), user("And I follow.")],
}


def template_of(config):
    template = config.get("chat_template")
    return template if isinstance(template, str) else None


def sources(testdata):
    for path in sorted((testdata / "zoo/fixtures/chat_templates").glob("*.jinja")):
        yield f"zoo/fixtures/chat_templates/{path.name}", path.read_text()
    for path in sorted(testdata.glob("zoo/*/*/tokenizer_config.json")):
        template = template_of(json.loads(path.read_text()))
        if template: yield str(path.relative_to(testdata)), template


def main():
    answers = {}
    for name, template in sources(Path(sys.argv[1])):
        compiled = _compile_jinja_template(template)
        answers[name] = {}
        for title, messages in CHATS.items():
            given = dict(
                messages=messages, documents=None, bos_token="<BOS>", eos_token="<EOS>",
                add_generation_prompt=messages[-1]["role"] == "user", strftime_now=TODAY.strftime,
            )
            try:
                answers[name][title] = {"text": compiled.render(tools=None, **given)}
            except jinja2.exceptions.TemplateError as error:
                answers[name][title] = {"refused": str(error)}
            except TypeError:  # a template for tools only
                answers[name][title] = {"text": compiled.render(tools=[], **given), "tools": []}
    OUT.mkdir(parents=True, exist_ok=True)
    document = {
        "about": "Made by interop/chatTemplates.py.",
        "versions": {"transformers": transformers.__version__, "jinja2": jinja2.__version__},
        "today": TODAY.isoformat(),
        "chats": CHATS,
        "templates": answers,
    }
    (OUT / "rendered.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    print((OUT / "rendered.json").stat().st_size, len(answers), sum("refused" in a for v in answers.values() for a in v.values()))


if __name__ == "__main__":
    main()
