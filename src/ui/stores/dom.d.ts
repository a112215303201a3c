/** Chromium's folder picker, which TypeScript's DOM library lacks. */
interface Window {
  readonly showDirectoryPicker?: (options?: {
    readonly mode?: "read" | "readwrite";
  }) => Promise<FileSystemDirectoryHandle>;
}
interface DataTransferItem {
  /** Chromium only: must be called before the first await of a drop. */
  readonly getAsFileSystemHandle?: () => Promise<FileSystemHandle | null>;
}
