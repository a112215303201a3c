"""Asks transformers which parts of a chat {% generation %} marks, and writes goldens/templates/generation.json.

    python interop/generationMarks.py

Needs `pip install transformers==5.23.0 jinja2==3.1.6`.
"""

import json
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import render_jinja_template

OUT = Path(__file__).resolve().parent.parent / "goldens" / "templates" / "generation.json"

PLAIN = (
    "{% for m in messages %}{% if m.role == 'assistant' %}<|a|>\n"
    "{% generation %}{{ m.content }}<|e|>{% endgeneration %}\n"
    "{% else %}<|{{ m.role }}|>\n{{ m.content }}<|e|>\n{% endif %}{% endfor %}"
)
STRIPPED = """{%- for m in messages -%}
  {%- if m.role == 'assistant' -%}
    [A]
    {%- generation -%}
      {{ m.content | trim }}
      {%- if m.tool_calls %}
      {%- for c in m.tool_calls %}<tool>{{ c.function | tojson }}</tool>{% endfor %}
      {%- endif %}{{ '<e>' }}
    {%- endgeneration %}
  {% else %}
    [{{ m.role }}]{{ m.content }}
    {% endif %}
{%- endfor %}"""
INDENTED = """{% for m in messages %}
    {% if m.role == 'assistant' %}
    {% generation %}
    {{ m.content }}
    {% endgeneration %}
    {% else %}
  {{ m.content }}
    {% endif %}
{% endfor %}
"""
CHAT = [
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": " Hello 🦙 "},
    {"role": "user", "content": "Add"},
    {"role": "assistant", "content": "", "tool_calls": [
        {"type": "function", "function": {"name": "add", "arguments": {"a": 1}}}]},
]


def main():
    cases = {}
    for name, template in {"plain": PLAIN, "stripped": STRIPPED, "indented": INDENTED}.items():
        texts, marks = render_jinja_template(
            [CHAT], chat_template=template, return_assistant_tokens_mask=True)
        learned = [texts[0][start:end] for start, end in marks[0]]
        cases[name] = {"template": template, "text": texts[0], "learned": learned}
    versions = {"transformers": transformers.__version__, "jinja2": jinja2.__version__}
    about = "Made by interop/generationMarks.py."
    OUT.write_text(json.dumps(
        {"about": about, "versions": versions, "chat": CHAT, "cases": cases},
        ensure_ascii=False, indent=1) + "\n")


main()
