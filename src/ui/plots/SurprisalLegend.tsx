import { SURPRISAL_STEPS } from "../theme/colours.ts";
import "./tokens.css";

const STEPS = Array.from({ length: SURPRISAL_STEPS }, (_, step) => step);

/** Legend of the surprisal colours, in nats. */
export function SurprisalLegend() {
  const most = SURPRISAL_STEPS - 1;
  return (
    <p className="surprisal small">
      <span>Surprisal, nats</span>
      <span
        className="surprisal-steps num"
        role="img"
        aria-label={`One colour per nat: none below 1, the strongest from ${most} on`}
      >
        {STEPS.map((step) => (
          <span key={step} data-step={step}>
            {step === most ? `${step}+` : step}
          </span>
        ))}
      </span>
    </p>
  );
}
