// Loaded before a server that a drill starts: at SIGUSR2 its wall clock steps by CLOCK_STEP_MS, at the next one back again. The
// monotonic clock goes on as it did, as when an administrator or a broken time service sets a machine's time.
const stepMs = Number(process.env.CLOCK_STEP_MS ?? 0);
const OwnDate = Date;
let offsetMs = 0;

globalThis.Date = class extends OwnDate {
  constructor(...args) {
    if (args.length === 0) super(OwnDate.now() + offsetMs);
    else super(...args);
  }

  static now() {
    return OwnDate.now() + offsetMs;
  }
};

process.on('SIGUSR2', () => {
  offsetMs = offsetMs === 0 ? stepMs : 0;
});
