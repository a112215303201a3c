import type { UseStore } from "idb-keyval";
import { EngineError } from "../contract/index.ts";

/** The object stores of the one database. `facts` and `settings` are open to whoever computes them. */
export const STORES = ["values", "catalogue", "journal", "facts", "settings", "records"] as const;
export type StoreName = (typeof STORES)[number];

/** Version, raised with every new store; existing data stays. 2: `records`. */
const VERSION = 2;

const RELAXED: ReadonlySet<StoreName> = new Set(["values", "records"]);

/** The studio's database: one connection, opened on first use and again after a loss. */
export interface Database {
  /** For idb-keyval's functions, which take it as their last argument. */
  store(name: StoreName): UseStore;
  close(): void;
}

/**
 * A failed write as an `EngineError`: a full disk is `quota` with the bytes that were still to be
 * written; anything else passes through.
 */
export function storageError(error: unknown, bytesNeeded: number): unknown {
  if (!(error instanceof Error) || error.name !== "QuotaExceededError") return error;
  const megabytes = Math.max(1, Math.ceil(bytesNeeded / 1e6)).toLocaleString("en");
  return new EngineError(
    "quota",
    `The browser has no room for ${megabytes} MB more. What is stored so far is kept: free space on the disk or delete a model, then resume.`,
    { bytesNeeded },
    error,
  );
}

/** The database of this origin; tests pass a factory of their own. */
export function openDatabase(
  factory: IDBFactory = indexedDB,
  databaseName = "fusestudio",
): Database {
  let opening: Promise<IDBDatabase> | undefined;

  const forget = (connection: Promise<IDBDatabase> | undefined) => {
    if (opening === connection) opening = undefined;
  };

  /** idb-keyval's own stores can keep a failed or closed connection for the life of the page. */
  function connect(): Promise<IDBDatabase> {
    if (opening) return opening;
    const connection: Promise<IDBDatabase> = openOnce(factory, databaseName).then((database) => {
      database.onclose = () => forget(connection);
      // Closes for a newer version of the studio in another tab, which wants to upgrade.
      database.onversionchange = () => {
        forget(connection);
        database.close();
      };
      return database;
    });
    opening = connection;
    connection.catch(() => forget(connection));
    return connection;
  }

  /** A closing connection throws in `transaction`: try once more. */
  async function begin(name: StoreName, mode: IDBTransactionMode): Promise<IDBTransaction> {
    // Values are checked by hash when they are read, and lost records are made again, so they need
    // not wait for the disk. The manifest and the journal do: what they vouch for must survive a
    // power cut.
    const options = { durability: RELAXED.has(name) ? "relaxed" : "strict" } as const;
    const connection = connect();
    const database = await connection;
    try {
      return database.transaction(name, mode, options);
    } catch (error) {
      if (!(error instanceof Error) || error.name !== "InvalidStateError") throw error;
      forget(connection);
      return (await connect()).transaction(name, mode, options);
    }
  }

  return {
    store: (name) => async (mode, callback) => {
      const transaction = await begin(name, mode);
      try {
        return await callback(transaction.objectStore(name));
      } catch (error) {
        throw storageError(error ?? (await abortReason(transaction)), 0);
      }
    },
    close() {
      const connection = opening;
      forget(connection);
      connection?.then(
        (database) => database.close(),
        () => undefined,
      );
    },
  };
}

/** idb-keyval rejects with null where a request failed: the transaction's error comes later. */
function abortReason(transaction: IDBTransaction): Promise<unknown> {
  return new Promise((resolve) => {
    if (transaction.error) resolve(transaction.error);
    transaction.addEventListener("abort", () => resolve(transaction.error));
  });
}

function openOnce(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(name, VERSION);
    request.onupgradeneeded = () => {
      const present = request.result.objectStoreNames;
      for (const store of STORES) {
        if (!present.contains(store)) request.result.createObjectStore(store);
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () =>
      reject(
        new EngineError(
          "permission",
          `The browser's storage does not open (${request.error?.name ?? "no reason given"}). Private windows and blocked site data forbid it: allow site data for this page, or use an ordinary window.`,
          { reason: request.error?.name ?? "unknown" },
          request.error,
        ),
      );
    request.onblocked = () =>
      reject(
        new EngineError(
          "busy",
          "An older FuseStudio in another tab keeps the storage open: close that tab and reload.",
        ),
      );
  });
}
