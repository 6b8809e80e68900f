/** How many messages are sent while the gateway restarts, to show that they arrive. */
const MEANWHILE = 3;
/** A client is back well before this, in milliseconds. */
const PATIENCE_MS = 20_000;
const TRANSPORT_HINT = "Cutting drops the connection as a lost network would.";
const RESTART_HINT =
  " Restarting is simulated: the gateway sends its clients away, answers connects " +
  `with 503 for 2 s, and ${MEANWHILE} messages are sent meanwhile. Watch them arrive.`;

/**
 * The buttons that break the connection, so that one can watch it come back.
 *
 * @param {(id: string) => HTMLElement} element finds the page's elements
 * @param {object} options
 * @param {string} options.gateway its address by HTTP, ending in a slash
 * @param {boolean} options.restart whether it offers to restart
 * @param {() => void} options.cut cuts the connection
 * @param {() => string} options.recipient for whom the messages of a restart are
 */
export function breakIt(element, { gateway, restart, cut, recipient }) {
  const button = element("restart");
  const outcome = element("broken");
  let trial; // {began, tag, isAway, arrived, recovered, back}
  let timer;
  element("cut").addEventListener("click", cut);
  button.hidden = !restart;
  element("break-hint").textContent = TRANSPORT_HINT +
    (restart ? RESTART_HINT : "");
  button.addEventListener("click", async () => {
    end("");
    const now = trial = {
      began: performance.now(),
      tag: crypto.randomUUID().slice(0, 8),
      arrived: 0,
    };
    showOpen(false);
    outcome.textContent = "The gateway restarts …";
    const detail = await ask("api/demo/restart", "{}");
    if (now !== trial) return;
    if (detail !== undefined) return end(detail);
    timer = setTimeout(() => end("The connection did not come back in 20 s."), PATIENCE_MS);
  });

  /** Sends messages while the client is away: they arrive only if it catches up. */
  async function sendMeanwhile(now) {
    for (let n = 1; n <= MEANWHILE; n++) {
      const message = { data: { restart: now.tag, n } };
      await ask("api/publish", JSON.stringify({ recipients: [recipient()], ...message }));
    }
  }

  /** Sends to the gateway; returns why it does not do it. */
  async function ask(path, body) {
    try {
      const response = await fetch(new URL(path, gateway), {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body,
      });
      if (response.ok) return undefined;
      const { detail } = await response.json().catch(() => ({}));
      return detail ?? `The gateway answered with ${response.status}.`;
    } catch {
      return "The gateway does not answer.";
    }
  }

  function end(text) {
    clearTimeout(timer);
    trial = undefined;
    outcome.textContent = text;
    showOpen(isOpen);
  }

  let isOpen = false;
  function showOpen(open) {
    element("cut").disabled = button.disabled = !open;
  }

  function conclude() {
    if (trial?.recovered === undefined) return;
    const after = `Back after ${((trial.back - trial.began) / 1000).toFixed(1)} s: `;
    if (!trial.recovered) {
      return end(`${after}may have missed messages, as this transport cannot resume.`);
    }
    if (trial.arrived < MEANWHILE) return;
    end(`${after}caught up, nothing lost. The ${MEANWHILE} messages sent meanwhile are here.`);
  }

  return {
    /** Whether there is a connection to break. */
    set open(open) {
      isOpen = open;
      if (trial === undefined) showOpen(open);
      else if (!open && !trial.isAway) {
        trial.isAway = true;
        sendMeanwhile(trial);
      }
    },
    /** A connection opened; `recovered` as in `Keywire`. */
    welcome(recovered) {
      if (!trial?.isAway) return;
      trial.recovered = recovered === true;
      trial.back = performance.now();
      conclude();
    },
    /** A message came. */
    message(text) {
      if (trial === undefined || !text.includes(`{"restart":"${trial.tag}"`)) {
        return;
      }
      trial.arrived++;
      conclude();
    },
    /** There is no connection that could come back. */
    over: () => trial && end("The connection was ended."),
  };
}
