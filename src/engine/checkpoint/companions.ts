import type { ByteSource, FileTree } from "../core/bytes.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { isWeightFile } from "./formatRegistry.ts";
import { isTrainingState } from "./trainingState.ts";

/** Largest companion file; larger files are data or weights. */
export const MAX_COMPANION_BYTES = 64 * 2 ** 20;

/** Files that a result writes anew, or that describe the files they came with. */
const MADE_ANEW =
  /^(config\.json|README\.md|SHA256SUMS|recipe\.json|training\.json|mergekit_(moe_)?config\.ya?ml|[^/]+\.index\.json|adapter_config\.json|adapter\/.+)$/;
/** What training writes of its course. */
const TRAINING_RECORD =
  /(^|\/)(trainer_state|trainer_log|train_results|eval_results|all_results|training_loss)[\w-]*\.(json|jsonl|png)$|(^|\/)(runs|logs|wandb)\/|(^|\/)events\.out\.tfevents/;
/** Settings of a quantisation that is undone in the result. */
const QUANTISATION = /^(hf_quant_config|quantize_config|quant_config|quantization_config)\.json$/;
/** Documentation of the source model; licences, which bind its users, are copied. */
const DOCUMENT = /\.(md|rst|html|pdf|png|jpe?g|gif|svg|webp|mp4)$/i;
const TERMS = /(^|\/)(LICEN[CS]E|NOTICE|COPYING|TERMS|[\w-]*USE_?POLICY)[\w.-]*$/i;
const CODE = /\.pyc?$/;
/** Folder of a sentence-transformers module, listed in modules.json: its weights are copied. */
const MODULE = /^\d+_[A-Z]\w*\//;

/** A file that is not copied, and a phrase that says why. */
interface LeftBehind {
  readonly path: string;
  readonly why: string;
}

/** Companions: the files beside a checkpoint's weights, when a result is made from it. */
interface Companions {
  /** Copied byte for byte. */
  readonly copied: FileTree;
  readonly left: readonly LeftBehind[];
}

/**
 * Sorts the files beside the weights (generation config, tokenizer, templates, processors, licences
 * and others, in subfolders, too) into copied and not copied. Code is copied only on request, since
 * whoever loads the result runs it.
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

/** Whether a path stays inside the folder that it is copied to. */
function isInside(path: string): boolean {
  return !path
    .split("/")
    .some((part) => part === "" || part.startsWith("..") || /[\\\0]/.test(part));
}

/** Companions that are copied by default. */
export function companionFiles(checkpoint: Checkpoint): FileTree {
  return sortCompanions(checkpoint).copied;
}
