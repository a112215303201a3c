import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isWeightFile } from "./formatRegistry.ts";
import { isTrainingState } from "./trainingState.ts";

/** Larger files are no companions of a model, but data or weights by another name. */
export const MAX_COMPANION_BYTES = 64 * 2 ** 20;

/** Files that a result makes anew, or that speak of the files they came with. */
const MADE_ANEW =
  /^(config\.json|README\.md|SHA256SUMS|recipe\.json|mergekit_config\.ya?ml|[^/]+\.index\.json|adapter_config\.json)$/;
/** What training writes of its course. */
const TRAINING_RECORD =
  /(^|\/)(trainer_state|trainer_log|train_results|eval_results|all_results|training_loss)[\w-]*\.(json|jsonl|png)$|(^|\/)(runs|logs|wandb)\/|(^|\/)events\.out\.tfevents/;
/** The settings of a quantisation that is undone in the result. */
const QUANTISATION = /^(hf_quant_config|quantize_config|quant_config|quantization_config)\.json$/;
/** What was written about the source model; what binds its users is not among it. */
const DOCUMENT = /\.(md|rst|html|pdf|png|jpe?g|gif|svg|webp|mp4)$/i;
const TERMS = /(^|\/)(LICEN[CS]E|NOTICE|COPYING|TERMS|[\w-]*USE_?POLICY)[\w.-]*$/i;
const CODE = /\.pyc?$/;
/** A module of sentence-transformers, listed in modules.json: its weights come along. */
const MODULE = /^\d+_[A-Z]\w*\//;

/** A file that stays behind, and a phrase that says why. */
interface LeftBehind {
  readonly path: string;
  readonly why: string;
}

/** What becomes of the files beside a checkpoint's weights where a result is made from it. */
interface Companions {
  /** Copied byte for byte. */
  readonly copied: FileTree;
  readonly left: readonly LeftBehind[];
}

/**
 * The companions of a checkpoint: generation config, tokenizer, templates, processors, licences and
 * whatever else lies beside the weights, in folders below too. Code is copied only when asked for,
 * since whoever loads the result runs it.
 */
export function sortCompanions(
  { files, weightFiles }: Checkpoint,
  options: { readonly code: boolean } = { code: false },
): Companions {
  const own = new Set(weightFiles);
  const copied = new Map<string, ByteSource>();
  const left: LeftBehind[] = [];
  for (const [path, source] of files) {
    if (own.has(path) || MADE_ANEW.test(path)) continue;
    const isModule = MODULE.test(path) && files.has("modules.json");
    const why = reasonToLeave(path, source.byteLength, isModule, options.code);
    if (why === null) copied.set(path, source);
    else left.push({ path, why });
  }
  return { copied, left };
}

function reasonToLeave(
  path: string,
  byteLength: number,
  isModule: boolean,
  code: boolean,
): string | null {
  if (!isInside(path)) return "outside of its folder";
  if (isTrainingState(path) || TRAINING_RECORD.test(path)) return "left by training";
  if (isWeightFile(path) && !isModule) return "weights in another format";
  if (QUANTISATION.test(path)) return "settings of a quantisation";
  if (CODE.test(path) && !code) return "code";
  if (DOCUMENT.test(path) && !TERMS.test(path)) return "about the source";
  if (byteLength > MAX_COMPANION_BYTES) return `larger than ${MAX_COMPANION_BYTES / 2 ** 20} MiB`;
  return null;
}

/** Whether a path stays inside its folder wherever it is copied to. */
function isInside(path: string): boolean {
  return !path
    .split("/")
    .some((part) => part === "" || part.startsWith("..") || /[\\\0]/.test(part));
}

/** The companions that are copied by default. */
export function companionFiles(checkpoint: Checkpoint): FileTree {
  return sortCompanions(checkpoint).copied;
}
