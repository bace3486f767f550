interface Host {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly MessageChannel?: typeof MessageChannel;
}

/**
 * Resolves in a later turn of the event loop, so that timers, input, other requests and a page's frames get theirs. A
 * resolved promise alone would not do: its continuation runs before any of them.
 */
export function nextTurn(): Promise<void> {
  const host = globalThis as Host;
  return new Promise((resolve) => {
    if (host.setImmediate !== undefined) {
      host.setImmediate(resolve);
    } else if (host.MessageChannel !== undefined) {
      // Nested timers of a page wait at least 4 ms; messages do not.
      const { port1, port2 } = new host.MessageChannel();
      port1.onmessage = () => {
        port1.close();
        resolve();
      };
      port2.postMessage(undefined);
    } else {
      setTimeout(resolve, 0);
    }
  });
}

/** Milliseconds of work after which the event loop gets its turn: a frame of a page at 60 Hz, less what else it does. */
const WORK = 12;

/** Tells when a loop has worked long enough to let the event loop run. */
export class Pacer {
  private since = performance.now();

  get due(): boolean {
    return performance.now() - this.since >= WORK;
  }

  async pause(): Promise<void> {
    await nextTurn();
    this.since = performance.now();
  }
}
