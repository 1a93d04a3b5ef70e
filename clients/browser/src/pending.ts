// Sales that are sent and not answered yet, on the disk before anything is sent: what a POS needs after a crash.

import type { Request } from "./shapes.ts";

/** A request that may have reached the till, by its idempotency key. */
export interface Sent {
  readonly key: string;
  readonly request: Request;
}

export interface Pending {
  /** On the disk when it resolves. Rejects when that failed: then nothing is sent. */
  keep(key: string, request: Request): Promise<void>;
  /** It is answered. */
  settle(key: string): Promise<void>;
  /** The oldest first. */
  all(): Promise<readonly Sent[]>;
}

const STORE = "pending";

/** In the page's own IndexedDB, with strict durability: the default may lose the last second in a power cut. */
export class IndexedPending implements Pending {
  readonly #name: string;
  #opened: Promise<IDBDatabase> | undefined;

  constructor(name = "tilld") {
    this.#name = name;
  }

  async keep(key: string, request: Request): Promise<void> {
    const known = await this.#run<Sent | undefined>("readonly", (store) => store.index("key").get(key));
    if (known === undefined) await this.#run("readwrite", (store) => store.add({ key, request }));
    else if (JSON.stringify(known.request) !== JSON.stringify(request)) {
      throw new RangeError(`The key ${key} names another request that is not answered yet.`);
    }
  }

  async settle(key: string): Promise<void> {
    const number = await this.#run<IDBValidKey | undefined>("readonly", (store) => store.index("key").getKey(key));
    if (number !== undefined) await this.#run("readwrite", (store) => store.delete(number));
  }

  all(): Promise<readonly Sent[]> {
    return this.#run<Sent[]>("readonly", (store) => store.getAll());
  }

  async #run<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
    this.#opened ??= opened(this.#name);
    const transaction = (await this.#opened).transaction(STORE, mode, { durability: "strict" });
    const request = act(transaction.objectStore(STORE));
    await new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    return request.result;
  }
}

function opened(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      const store = request.result.createObjectStore(STORE, { autoIncrement: true });
      store.createIndex("key", "key", { unique: true });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
