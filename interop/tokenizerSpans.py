"""Asks the `tokenizers` library for ids and offsets, and writes goldens/tokenizers/.

    python interop/tokenizerSpans.py TESTDATA

Needs `pip install tokenizers==0.23.3`. Offsets count code points and are asked for without
trimming (trim_offsets: false): a span that leaves out its space would not cover the text.
"""

import hashlib
import json
import sys
from pathlib import Path

import tokenizers
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

OUT = Path(__file__).resolve().parent.parent / "goldens" / "tokenizers"

TEXTS = [
    "",
    " ",
    "  ",
    "   \n  ",
    "\n",
    "\n\n\n",
    "\t",
    "\r\n\r\n",
    "Hello",
    " Hello",
    "  Hello  world   ",
    "Hello, world! It's 12345.67 o'clock, isn't it?",
    "I'LL we'Re THEY'VE",
    "a",
    "a" * 300,
    "ab" * 20 + " " + "ba" * 20,
    " " * 45 + "x" + " " * 30,
    "x" + "\t" * 9 + "y\n\t\tz",
    "日本語のテキストと English が混ざる。",
    "吾輩は猫である。名前はまだ無い。\n　どこで生れたか",
    "한국어 텍스트 ㄱㅏ 가",
    "🦙",
    "🦙🦙 🦙",
    "👨‍👩‍👧‍👦 family 🏳️‍🌈 flag 🇯🇵🇫🇷",
    "e\u0301 is é, a\u0308\u0323 n\u0303",
    "\u0301 alone, x\u0301\u0302\u0303\u0304y",
    "Å Å A\u030a ﬁ ﬂ ² ½ ™ ㎏ ｱｲｳ Ａ",
    "\u1112\u1161\u11ab jamo",
    "نص عربي مع تشكيلٍ",
    "हिन्दी में लिखा हुआ",
    "ภาษาไทยไม่มีช่องว่าง",
    "Привет, мир! нещо на Български",
    "Zażółć gęślą jaźń",
    "İstanbul ıI ẞß Σσς",
    "nbsp\u00a0and\u2003em\u200bzero\ufeffbom\u0085nel",
    "\u2581 already \u2581\u2581there",
    "<0x41> <0x0A> literal bytes",
    "control \x00\x01\x1b\x7f end",
    "\U0010ffff \ue000 private",
    "𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐍈 𒀀",
    "</s>",
    "one</s>two </s> three",
    "<s>Hello</s><s> again",
    "<unk> is written",
    "<|endoftext|>",
    "a<|endoftext|>b <|endoftext|> c",
    "<|im_start|>user\nHi there<|im_end|>\n<|im_start|>assistant\n",
    "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>",
    "[INST] What? [/INST] That.</s>[INST]More[/INST]",
    "<|user|>\nHi<|end|>\n<|assistant|>\n   three spaces",
    "<|prompter|>Hi<|endoftext|><|assistant|>Yes",
    "half <|im_start and <| and <s",
    "def f(x):\n    if x > 10:\n        return x ** 2  # square\n",
    '{"key": [1, 2.50, -3e+10], "ü": null}',
    "https://example.org/a_b-c?d=1&e=%20#f",
    "1234567890 1,000,000 ٣٤٥ ⅷ ¾ 三",
    "!!!???...---===***",
    "CamelCaseAndsnake_case and kebab-case",
    "tail spaces   ",
    "tail newline\n",
    "…—–“quotes” ‘single’ don’t",
    "word " * 20,
    "mixed 🦙é日\u0301x\n\n  \t🇯🇵<s>ok",
    "Once upon a time, there was a little girl named Lily.",
]

FOLDERS = [
    *[f"zoo/tokenizers/{name}" for name in (
        "gpt2", "gpt-neox", "llama3", "qwen2_5", "oa-test", "llama2_hf", "llama2c_tok4096",
        "mistral_v1", "mistral_v3", "phi3_hf", "yi15",
    )],
    "zoo/models/stories260K",
    "zoo/models/aidreams260K",
    "zoo/models/babyllama-tok105",
    "zoo/models/babyllama-tok361",
    "zoo/models/gpt-nano-sort",
    "samples/ember-base",
    "samples/flint-source",
    "samples/slate-source",
]


def without_trimming(node):
    if isinstance(node, dict):
        return {k: False if k == "trim_offsets" else without_trimming(v) for k, v in node.items()}
    return [without_trimming(v) for v in node] if isinstance(node, list) else node


def load(text):
    document = json.loads(text)
    for part in ("pre_tokenizer", "post_processor"):
        document[part] = without_trimming(document[part])
    document["truncation"] = document["padding"] = None
    return Tokenizer.from_str(json.dumps(document))


def ask(tokenizer):
    cases = []
    for text in TEXTS:
        plain = tokenizer.encode(text, add_special_tokens=False)
        special = tokenizer.encode(text, add_special_tokens=True).ids
        at = next((i for i in range(len(special) + 1) if special[i:i + len(plain.ids)] == plain.ids), 0)
        cases.append({
            "ids": plain.ids,
            "offsets": [edge for span in plain.offsets for edge in span],
            "before": special[:at],
            "after": special[at + len(plain.ids):],
            "decoded": tokenizer.decode(plain.ids, skip_special_tokens=False),
        })
    return cases


def made(name, *, normalizer=None, pre_tokenizer=None, decoder=None, added=(), byte_level=True, **bpe):
    """A tiny tokenizer, trained here, for what no real one at hand does."""
    tokenizer = Tokenizer(models.BPE(**bpe))
    if normalizer: tokenizer.normalizer = normalizer
    if pre_tokenizer: tokenizer.pre_tokenizer = pre_tokenizer
    if decoder: tokenizer.decoder = decoder
    alphabet = pre_tokenizers.ByteLevel.alphabet() if byte_level else []
    special = ["<unk>"] if bpe.get("unk_token") else []
    if bpe.get("byte_fallback"): special += [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=alphabet, special_tokens=special, show_progress=False
    )
    corpus = [text for text in TEXTS if text.isascii() and "<" not in text] * 3 if not byte_level else TEXTS * 3
    tokenizer.train_from_iterator(corpus, trainer)
    tokenizer.add_tokens(list(added))
    return name, tokenizer.to_str()


def synthetic():
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    split = lambda pattern, behavior, invert=False: pre_tokenizers.Sequence(
        [pre_tokenizers.Split(pattern, behavior, invert), byte_level]
    )
    yield made("nfkc-lowercase", decoder=decoders.ByteLevel(),
        normalizer=normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()]),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield made("nfd-strip", decoder=decoders.ByteLevel(),
        normalizer=normalizers.Sequence([normalizers.NFD(), normalizers.Strip()]),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False))
    yield made("prefix-space", decoder=decoders.ByteLevel(),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=True))
    for behavior in ("isolated", "removed", "merged_with_previous", "merged_with_next", "contiguous"):
        yield made(f"split-{behavior}", decoder=decoders.ByteLevel(), pre_tokenizer=split(Regex(r"\s|[.,!?]"), behavior))
    yield made("split-string", decoder=decoders.ByteLevel(), pre_tokenizer=split("e", "isolated"))
    yield made("split-invert", decoder=decoders.ByteLevel(), pre_tokenizer=split(Regex(r"\p{L}+"), "isolated", True))
    yield made("digits-punctuation", decoder=decoders.ByteLevel(), pre_tokenizer=pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.Punctuation(), byte_level]))
    yield made("digits-together", decoder=decoders.ByteLevel(), pre_tokenizer=pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=False), pre_tokenizers.Punctuation("contiguous"), byte_level]))
    for scheme in ("always", "first", "never"):
        # The Metaspace decoder drops every mark of the first token, not only the one that was put there.
        first = [decoders.Strip(" ", 1, 0)] if scheme == "first" else []
        undo = decoders.Sequence([decoders.Replace("▁", " "), decoders.Fuse(), *first])
        decoder = undo if first else decoders.Metaspace("▁", scheme)
        yield made(f"metaspace-{scheme}", byte_level=False, decoder=decoder, unk_token="<unk>",
            pre_tokenizer=pre_tokenizers.Metaspace("▁", scheme, split=scheme != "first"))
    yield made("unknown-fused", byte_level=False, decoder=decoders.Metaspace(), unk_token="<unk>", fuse_unk=True,
        pre_tokenizer=pre_tokenizers.Metaspace())
    yield made("unknown-dropped", byte_level=False, decoder=decoders.Metaspace(), pre_tokenizer=pre_tokenizers.Metaspace())
    yield made("added-tokens", decoder=decoders.ByteLevel(), normalizer=normalizers.Lowercase(),
        pre_tokenizer=pre_tokenizers.ByteLevel(add_prefix_space=False), added=[
            AddedToken("hello", single_word=True, normalized=False),
            AddedToken("world", lstrip=True, rstrip=True, normalized=False),
            AddedToken("<s>", lstrip=True, normalized=False, special=True),
            AddedToken("camelcase", normalized=True),
            AddedToken("it", single_word=True, normalized=True),
        ])
    yield made("byte-fallback", byte_level=False, unk_token="<unk>", fuse_unk=True, byte_fallback=True,
        normalizer=normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]),
        decoder=decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]))


def main():
    testdata = Path(sys.argv[1])
    OUT.mkdir(parents=True, exist_ok=True)
    answers = {}
    for folder in FOLDERS:
        text = (testdata / folder / "tokenizer.json").read_text()
        answers[folder] = {"sha256": hashlib.sha256(text.encode()).hexdigest(), "cases": ask(load(text))}
    small = {}
    for name, text in synthetic():
        small[name] = {"tokenizer": json.loads(text), "cases": ask(load(text))}
    for file, tokenizers_here in (("real.json", answers), ("made.json", small)):
        document = {
            "about": "Made by interop/tokenizerSpans.py. Offsets count code points, untrimmed.",
            "versions": {"tokenizers": tokenizers.__version__, "python": sys.version.split()[0]},
            "texts": TEXTS,
            "tokenizers": tokenizers_here,
        }
        (OUT / file).write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n")
        print(file, (OUT / file).stat().st_size)


if __name__ == "__main__":
    main()
