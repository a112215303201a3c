import "react";

declare module "react" {
  interface InputHTMLAttributes<T> {
    /** Picks a folder with all that is in it; every current browser knows it. */
    readonly webkitdirectory?: T extends HTMLInputElement ? "" : never;
  }
}
