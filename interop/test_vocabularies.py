"""Models with different tokenizers: the real mergekit's tensors, tokens and templates, and ours.

The tokenizers are real ones (FUSESTUDIO_TESTDATA); the models around them are tiny and random.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import test_mergekit  # noqa: F401  first: it mends what mergekit imports
import torch
import yaml
from harness import require, skip, studio, test
from mergekit.config import MergeConfiguration
from mergekit.merge import run_merge
from mergekit.options import MergeOptions
from test_recipes import load, steps
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig

TEXTS = (
    "Once upon a time, there was a <|im_start|>user who said hello world.",
    " The quick brown fox\njumps over 12 lazy dogs - naïvely!<|im_end|>",
    "<|prompter|>def f(x):\n    return x ** 2</s> dip \U0001f600",
)
GREETING = "{% for message in messages %}{{ message.content }}{% endfor %}"
ADDED = ("<|im_start|>", "<|im_end|>", "hello world")


def tokenizers():
    data = os.environ.get("FUSESTUDIO_TESTDATA")
    if not data:
        skip("NOT RUN: no test data (FUSESTUDIO_TESTDATA)")
    return Path(data) / "zoo"


def make(folder, tokenizer, dtype=torch.float32, added=(), rows=None, tied=False, hidden=32, **config):
    """A random model around a tokenizer, which gets further added tokens; `rows` of its embedding."""
    folder.mkdir(parents=True)
    source = tokenizers() / tokenizer
    document = json.loads((source / "tokenizer.json").read_text())
    ids = [*document["model"]["vocab"].values(), *(token["id"] for token in document["added_tokens"])]
    flags = {"single_word": False, "lstrip": False, "rstrip": False}
    for id, content in enumerate(added, max(ids) + 1):
        special = content.startswith("<|")
        entry = {"id": id, "content": content, "special": special, "normalized": not special, **flags}
        document["added_tokens"].append(entry)
    (folder / "tokenizer.json").write_text(json.dumps(document))
    stated = json.loads((source / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**stated, **config}))
    torch.manual_seed(sum(map(ord, folder.name)))
    model = AutoModelForCausalLM.from_config(
        LlamaConfig(
            vocab_size=rows or max(ids) + 1 + len(added),
            hidden_size=hidden,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            tie_word_embeddings=tied,
        )
    )
    for parameter in model.parameters():
        parameter.data.copy_(torch.randn(parameter.shape) * 0.05 + (parameter.dim() == 1))
    model.to(dtype).save_pretrained(folder)


def models(work):
    folder = work / "vocabularies"
    if not folder.exists():
        tales, chat, small = "tokenizers/llama2c_tok4096", "tokenizers/oa-test", "models/stories260K"
        make(folder / "tales", tales)
        make(folder / "chat", chat, chat_template=GREETING)
        make(folder / "small", small)
        make(folder / "tied", small, tied=True)
        make(folder / "grown", tales, added=ADDED, rows=4160, pad_token="<pad>", chat_template=GREETING)
        make(folder / "cut", tales, added=("<|cut|>", "<|im_end|>"), rows=4096, pad_token="<pad>")
        for name, tokenizer in (("tales16", tales), ("chat16", chat), ("small16", small)):
            make(folder / name, tokenizer, dtype=torch.bfloat16)
        make(folder / "wide", tales, hidden=80)
        # As of real models, its width is a multiple of the 64 tokens that a row is made of: what is
        # left in the last steps is then no rounding, in which two programs choose differently.
        make(folder / "donor", chat, hidden=256)
    return folder


def linear(*names, **more):
    weights = (0.5, 0.3, 0.2)
    listed = [{"model": name, "parameters": {"weight": w}} for name, w in zip(names, weights)]
    return {"merge_method": "linear", "models": listed, **more}


ALL = ("tales", "chat", "small")
TOKENS = {
    "<|prompter|>": {"source": {"kind": "model_token", "model": "small", "token_id": 7}},
    "</s>": {"source": {"kind": "model_token", "model": "tales", "token": "<s>"}, "force": True},
    "<new>": {"source": {"kind": "zero"}},
}
RECIPES = {
    "a union": linear(*ALL, base_model="tales", tokenizer={"source": "union"}),
    "a union under another base": {
        **linear(*ALL, base_model="chat", tokenizer_source="union"),
        "merge_method": "task_arithmetic",
    },
    "a union in bfloat16": linear(
        *(f"{name}16" for name in ALL),
        base_model="tales16",
        dtype="bfloat16",
        tokenizer={"source": "union", "pad_to_multiple_of": 32},
    ),
    "the base's": linear(*ALL, base_model="tales", tokenizer_source="base"),
    "a model's": linear(*ALL, base_model="tales", tokenizer_source="small"),
    "padding and a template": linear(
        "tales",
        "grown",
        base_model="tales",
        tokenizer={"source": "union", "pad_to_multiple_of": 64},
        chat_template="auto",
    ),
    "tokens without a row": linear("cut", "chat", base_model="cut", tokenizer={}),
    "single tokens": linear(*ALL, base_model="tales", tokenizer={"source": "union", "tokens": TOKENS}),
    "a tied model": linear("tales", "tied", base_model="tales", tokenizer={}),
    "a tied base": linear("tied", "tales", base_model="tied", tokenizer={}),
    "slices": {
        "merge_method": "passthrough",
        "base_model": "tales",
        "tokenizer": {},
        "slices": [
            {"sources": [{"model": "tales", "layer_range": [0, 2]}]},
            {"sources": [{"model": "chat", "layer_range": [1, 2]}]},
        ],
    },
}


def by_token(tensor, vocabulary, tokens):
    """Rows of a tensor in the order of tokens, and those behind all tokens."""
    ids = torch.tensor([vocabulary[token] for token in tokens if vocabulary[token] < len(tensor)])
    return torch.cat([tensor[ids], tensor[max(vocabulary.values()) + 1 :]])


def check_merge(name):
    def check(work):
        folder = models(work)
        path = folder / f"{name.replace(' ', '-')}.yml"
        path.write_text(yaml.safe_dump(RECIPES[name]))
        ours, theirs = folder / f"ours-{path.stem}", folder / f"theirs-{path.stem}"
        studio("merge", path, ours)
        before = Path.cwd()
        os.chdir(folder)  # where its relative names of models lie
        try:
            config = MergeConfiguration.model_validate(yaml.safe_load(path.read_text()))
            options = MergeOptions(cuda=False, quiet=True, write_model_card=False, random_seed=0)
            run_merge(config, str(theirs), options)
        finally:
            os.chdir(before)
        got, wanted = load(ours), load(theirs)
        mine, peers = (AutoTokenizer.from_pretrained(each) for each in (ours, theirs))
        own, other = mine.get_vocab(), peers.get_vocab()
        require(own.keys() == other.keys(), f"tokens differ: {sorted(own.keys() ^ other.keys())[:5]}")
        require(got.keys() == wanted.keys(), "tensors differ")
        worst = 0.0
        for tensor, value in wanted.items():
            mine_here, theirs_here = got[tensor], value
            require(mine_here.shape == value.shape, f"{tensor}: {mine_here.shape}, not {value.shape}")
            require(mine_here.dtype == value.dtype, f"{tensor} is {mine_here.dtype}")
            if "embed" in tensor or "lm_head" in tensor:
                mine_here = by_token(mine_here, own, own)
                theirs_here = by_token(value, other, own)
            apart = steps(mine_here, theirs_here).max().item()
            require(apart <= 1, f"{tensor}: {apart:.1f} steps of the output's dtype")
            worst = max(worst, apart)
        sizes = [json.loads((each / "config.json").read_text())["vocab_size"] for each in (ours, theirs)]
        require(sizes[0] == sizes[1], f"vocab_size is {sizes}")
        require(mine.chat_template == peers.chat_template, f"the template is {mine.chat_template}")
        for text in TEXTS:
            ids = mine(text)["input_ids"]
            tokens, wanted_tokens = mine.convert_ids_to_tokens(ids), peers.tokenize(text, add_special_tokens=True)
            require(tokens == wanted_tokens, f"{text!r} is {tokens}, not {wanted_tokens}")
            # transformers rebuilds the steps of some classes; the studio and the library read the file.
            plain = Tokenizer.from_file(str(ours / "tokenizer.json")).encode(text).ids
            if max(plain) < sizes[0]:
                read = studio("logits", ours, "--text", text)["ids"]
                require(read == plain, f"the studio reads {text!r} as {read}, the library as {plain}")
        return f"{len(own)} tokens, {worst:.1f} steps apart at most"

    return check


def check_templates(work):
    folder = models(work)
    chat = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello."}]
    for name in ("chatml", "mistral"):
        path = folder / f"{name}.yml"
        path.write_text(yaml.safe_dump(linear("tales", "small", tokenizer={}, chat_template=name)))
        studio("merge", path, folder / f"ours-{name}")
        from mergekit import _data

        theirs = Path(_data.__file__).parent / "chat_templates" / f"{name}.jinja"
        tokenizer = AutoTokenizer.from_pretrained(folder / f"ours-{name}")
        for turns in (chat, chat[:1]):
            for generate in (False, True):
                render = lambda template: tokenizer.apply_chat_template(
                    turns, chat_template=template, tokenize=False, add_generation_prompt=generate
                )
                require(render(None) == render(theirs.read_text()), f"{name} renders {render(None)!r}")


TRANSPLANTS = {
    "mean": ("--approximation-method", "mean"),
    "zero": ("--approximation-method", "zero"),
    "subword": ("--approximation-method", "subword"),
    "weighted subword": ("--approximation-method", "subword", "--subword-method", "weighted_mean"),
    "common_interpolation": ("--approximation-method", "common_interpolation", "--k", "8"),
    "omp": (),
}
# mergekit solves in float32, by a QR of 64 vectors: what 64 steps leave of a row's size.
ROUNDING = {"omp": 64 * 2**-20}


def check_transplant(name):
    def check(work):
        folder = models(work)
        ours, theirs = (folder / f"{who}-transplant-{name.replace(' ', '-')}" for who in ("ours", "theirs"))
        shutil.rmtree(theirs, ignore_errors=True)
        studio("transplant", folder / "wide", folder / "donor", ours, *TRANSPLANTS[name])
        command = [Path(sys.executable).parent / "mergekit-tokensurgeon", folder / "wide", folder / "donor"]
        subprocess.run([*command, theirs, *TRANSPLANTS[name]], check=True, stdout=sys.stderr)
        got, wanted = load(ours), load(theirs)
        require(got.keys() == wanted.keys(), "tensors differ")
        worst = 0.0
        for tensor, value in wanted.items():
            require(got[tensor].shape == value.shape, f"{tensor} is {got[tensor].shape}")
            if "embed" not in tensor and "lm_head" not in tensor:
                require(torch.equal(got[tensor], value), f"{tensor} changed")
                continue
            a, b = got[tensor].double(), value.double()
            apart = ((a - b).norm(dim=-1) / b.norm(dim=-1).clamp(min=1e-12)).max().item()
            require(apart <= ROUNDING.get(name, 2**-20), f"{tensor}: rows are {apart:.2g} apart")
            worst = max(worst, apart)
        mine, peers = (AutoTokenizer.from_pretrained(each).get_vocab() for each in (ours, theirs))
        require(mine == peers, "the tokenizers differ")
        read = studio("logits", ours, "--text", TEXTS[0])["ids"]
        require(read == AutoTokenizer.from_pretrained(ours)(TEXTS[0])["input_ids"], f"read as {read}")
        return f"rows are {worst:.1e} of their size apart at most"

    return check


for name in RECIPES:
    test(f"models of several tokenizers merge as mergekit merges them: {name}")(check_merge(name))
test("built-in chat templates render as mergekit's")(check_templates)
for name in TRANSPLANTS:
    test(f"a transplanted tokenizer has mergekit-tokensurgeon's rows: {name}")(check_transplant(name))
