import type { FileTree } from "../core/bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** Small files that belong to a model beside its config and weights, copied byte for byte. */
const COPIED =
  /^(generation_config\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|added_tokens\.json|vocab\.(json|txt)|merges\.txt|tokenizer\.model|spiece\.model|sentencepiece\.bpe\.model|tekken\.json|[\w.-]+\.tiktoken|chat_template\.(jinja|json)|additional_chat_templates\/[\w.-]+\.jinja|preprocessor_config\.json|processor_config\.json|LICEN[CS]E(\.\w+)?|NOTICE(\.\w+)?)$/;

/** Those of a checkpoint: generation config, tokenizer, templates, licences. */
export function companionFiles({ files }: Checkpoint): FileTree {
  return new Map([...files].filter(([path]) => COPIED.test(path)));
}
