/**
 * Chat templates that a recipe may name, as mergekit 0.1.5 does. They are written from the models'
 * published formats; mergekit's own have stray white space in `alpaca`, `exaone` and `llama3`.
 */
export const BUILT_IN_TEMPLATES: Readonly<Record<string, string>> = {
  /** Stanford Alpaca's headings; `user_context` is its optional input. */
  alpaca: `{%- set headings = {'user': 'Instruction', 'user_context': 'Input', 'assistant': 'Response'} %}
{%- for message in messages %}
{%- if not loop.first %}{{ '\\n\\n' }}{% endif %}
{%- if message['role'] in headings %}{{ '### ' + headings[message['role']] + ':\\n' }}{% endif %}
{{- message['content'] | trim }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '\\n\\n### Response:\\n' }}{% endif %}`,
  /** ChatML, as Qwen and many fine-tunes have it. */
  chatml: `{%- for message in messages %}
{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`,
  /** EXAONE 3: a system turn always comes first, and a user's turn ends with its line. */
  exaone: `{%- if messages[0]['role'] != 'system' %}{{ '[|system|][|endofturn|]\\n' }}{% endif %}
{%- for message in messages %}
{{- '[|' + message['role'] + '|]' + message['content'] }}
{{- '\\n' if message['role'] == 'user' else '[|endofturn|]\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '[|assistant|]' }}{% endif %}`,
  /** Llama 3. */
  llama3: `{{- bos_token }}
{%- for message in messages %}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}`,
  /** Mistral 7B Instruct: user and assistant by turns, the system's text before the first user's. */
  mistral: `{%- set system = messages[0]['content'] + '\\n\\n' if messages[0]['role'] == 'system' else '' %}
{%- set turns = messages[1:] if messages[0]['role'] == 'system' else messages %}
{{- bos_token }}
{%- for message in turns %}
{%- if message['role'] != ('user' if loop.index0 % 2 == 0 else 'assistant') %}
{{- raise_exception('Mistral takes turns of user and assistant, after at most one of system.') }}
{%- endif %}
{%- if message['role'] == 'user' %}
{{- ' [INST] ' + (system if loop.first else '') + message['content'] + ' [/INST]' }}
{%- else %}
{{- ' ' + message['content'] + eos_token }}
{%- endif %}
{%- endfor %}`,
};

/** Shortest text that is taken for a template: mergekit 0.1.5 refuses shorter ones as misspelt names. */
const SHORTEST_TEMPLATE = 20;

/** Whether a recipe's `chat_template` is `auto`, the name of a built-in one, or Jinja. */
export function isChatTemplate(stated: string): boolean {
  if (stated === "auto" || Object.hasOwn(BUILT_IN_TEMPLATES, stated)) return true;
  return stated.length >= SHORTEST_TEMPLATE && stated.includes("{");
}
