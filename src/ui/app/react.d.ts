import "react";

declare module "react" {
  interface InputHTMLAttributes<T> {
    /** Folder picker of file inputs, which every current browser supports. */
    readonly webkitdirectory?: T extends HTMLInputElement ? "" : never;
  }
}
