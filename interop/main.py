"""Runs all interop tests; each prints one line of JSON. Called by run.mjs with a folder to work in."""

import sys
from pathlib import Path

import harness  # first: it keeps standard output for the outcomes
import test_transformers  # noqa: F401  registers its tests
import test_mergekit  # noqa: F401
import test_mixtures  # noqa: F401
import test_recipes  # noqa: F401
import test_adapters  # noqa: F401
import test_vocabularies  # noqa: F401
import test_methods  # noqa: F401
import test_logits  # noqa: F401
import test_gradients  # noqa: F401
import test_training  # noqa: F401
import test_extract  # noqa: F401
import test_onnx  # noqa: F401
import test_fused  # noqa: F401

harness.run_tests(Path(sys.argv[1]))
