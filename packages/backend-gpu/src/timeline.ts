/**
 * Keeps order while something is waited for: as long as the host computes a native, all that comes later is put off.
 */
export class Timeline {
  private waiting = 0;
  private tasks: (() => void)[] = [];

  get isWaiting(): boolean {
    return this.waiting > 0;
  }

  /** Does it now, or when what is waited for is done. */
  do(task: () => void): void {
    if (this.waiting > 0) this.tasks.push(task);
    else task();
  }

  /** Resolves when nothing is waited for. */
  idle(): Promise<void> {
    return new Promise((resolve) => this.do(resolve));
  }

  /** Puts a task before all others that wait. */
  doNext(task: () => void): void {
    if (this.waiting > 0) this.tasks.unshift(task);
    else task();
  }

  /** Puts off what comes until `done`, even if that fails. */
  wait(done: Promise<void>): void {
    this.waiting++;
    const resume = (): void => {
      this.waiting--;
      while (this.waiting === 0) {
        const next = this.tasks.shift();
        if (next === undefined) return;
        next();
      }
    };
    done.then(resume, resume);
  }
}
