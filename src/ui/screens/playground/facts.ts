import type { Exchange } from "../../stores/playgroundStore.ts";
import { formatBits, formatCount, formatRate } from "../../theme/format.ts";

const count = (tokens: number) => (tokens === 1 ? "1 token" : `${formatCount(tokens)} tokens`);

/** Numbers below an answer or a reading, as far as known. */
export function factsOf(exchange: Exchange): readonly string[] {
  const { state, reading, promptTokens, tokensPerSecond, end } = exchange;
  if (state === "waiting" || state === "loading") return [];
  const stopped = state === "stopped" ? ["stopped"] : [];
  if (reading) {
    return [
      count(exchange.count),
      `${formatBits(reading.natsPerToken)} nats per token`,
      `${formatBits(reading.bitsPerByte)} bits per byte`,
    ];
  }
  if (exchange.count === 0) return stopped;
  return [
    count(exchange.count),
    ...(tokensPerSecond === null ? [] : [`${formatRate(tokensPerSecond)} tokens/s`]),
    ...(promptTokens === null ? [] : [`${formatCount(promptTokens)} in the prompt`]),
    ...(end === "stop" ? ["ended by itself"] : []),
    ...(end === "length" ? ["cut off at the length set"] : []),
    ...stopped,
  ];
}
