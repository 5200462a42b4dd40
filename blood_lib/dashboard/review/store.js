// One review in this browser's own database, IndexedDB, which lasts until somebody deletes it.

const NAME = "dash-review";
const STORE = "kept";

export function createStore() {
  let opened = null;

  function open() {
    opened ??= new Promise((yes, no) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => yes(request.result);
      request.onerror = () => no(request.error);
    });
    return opened;
  }

  /** All of `act(store)` or nothing; its result once it is on the disk. */
  async function run(mode, act) {
    const transaction = (await open()).transaction(STORE, mode);
    const request = act(transaction.objectStore(STORE));
    return new Promise((yes, no) => {
      transaction.oncomplete = () => yes(request.result);
      transaction.onabort = () => no(transaction.error);
    });
  }

  return {
    /** The parts that `parts` names; the others stay. */
    write: (parts) => run("readwrite", (store) => Object.entries(parts).map(([name, value]) => store.put(value, name)).at(-1)),
    /** {facts, index, whole}, or null. */
    async read() {
      const [names, values] = await Promise.all([run("readonly", (store) => store.getAllKeys()), run("readonly", (store) => store.getAll())]);
      return names.length ? Object.fromEntries(names.map((name, i) => [name, values[i]])) : null;
    },
    clear: () => run("readwrite", (store) => store.clear()),
  };
}
