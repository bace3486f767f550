/** Watches how long this page is busy at a time: what takes longer, its user feels. */
export class TaskWatch {
  /** The longest task since the last `reset`, in milliseconds. The browser reports those of 50 and more; 0 if there was none. */
  longest = 0;
  private since = performance.now();

  constructor() {
    new PerformanceObserver((list) => {
      for (const { startTime, duration } of list.getEntries()) {
        if (startTime >= this.since) this.longest = Math.max(this.longest, duration);
      }
    }).observe({ type: "longtask" });
  }

  reset(): void {
    this.since = performance.now();
    this.longest = 0;
  }
}
