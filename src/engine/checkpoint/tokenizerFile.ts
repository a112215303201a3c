const TOKENIZER_FILE =
  /^((tokenizer|tokenizer_config|special_tokens_map|added_tokens|vocab|chat_template)\.json|merges\.txt|vocab\.txt|(tokenizer|sentencepiece\.bpe|spiece|spm)\.model|tekken\.json|chat_template\.jinja|additional_chat_templates\/[^/]+)$/;
/** Whether a file beside the weights is part of the tokenizer. */
export const isTokenizerFile = (path: string): boolean => TOKENIZER_FILE.test(path);
