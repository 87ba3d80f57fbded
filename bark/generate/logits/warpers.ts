import { topk } from "../search/topk.ts";
import { ascending, cumulative, kthLargest, logSoftmax, softmax } from "./math.ts";
import { eachRow, filter, type LogitsProcessor } from "./processor.ts";

// What transformers calls warpers: they shape the distribution that a token is drawn from. `keep` is how many ids stay in any
// case: one, and with beams one more than there are ends of sequence.

const { fround } = Math;

/** `temperature` */
export function temperatureWarper(temperature: number): LogitsProcessor {
  const divisor = fround(temperature);
  return eachRow((scores) => {
    for (const [id, score] of scores.entries()) scores[id] = score / divisor;
  });
}

/** `top_k`: only the k largest, and those equal to the k-th. */
export function topK(k: number, keep: number): LogitsProcessor {
  return filter((scores) => {
    const least = kthLargest(scores, Math.min(Math.max(k, keep), scores.length));
    return (id) => scores[id] < least;
  });
}

/** `top_p`: only the likeliest that together reach this probability. */
export function topP(p: number, keep: number): LogitsProcessor {
  return filter((scores) => {
    const order = ascending(scores);
    const sums = cumulative(softmax(Float32Array.from(order, (id) => scores[id])));
    const most = fround(1 - p);
    const removed = new Set(order.filter((_, i) => sums[i] <= most && i < order.length - keep));
    return (id) => removed.has(id);
  });
}

/** `min_p`: only those with at least this share of the likeliest one's probability. */
export function minP(share: number, keep: number): LogitsProcessor {
  return filter((scores) => {
    const probabilities = softmax(scores);
    const least = fround(fround(share) * kthLargest(probabilities, 1));
    const kept = new Set(topk(probabilities, Math.min(keep, scores.length)));
    return (id) => probabilities[id] < least && !kept.has(id);
  });
}

/** `typical_p` (Meister et al. 2022): those whose surprise is nearest to the expected one, up to this probability. */
export function typicalP(mass: number, keep: number): LogitsProcessor {
  return filter((scores) => {
    const logs = logSoftmax(scores);
    const terms = logs.map((log) => fround(log * fround(Math.exp(log)))).filter((term) => !Number.isNaN(term));
    const entropy = -fround(terms.reduce((sum, term) => sum + term, 0));
    const distances = logs.map((log) => Math.abs(fround(-log - entropy)));
    const order = ascending(distances);
    const sums = cumulative(softmax(Float32Array.from(order, (id) => scores[id])));
    const below = sums.filter((sum) => sum < fround(mass)).length;
    const furthest = distances[order[Math.min(below, order.length - 1)]];
    const kept = new Set(order.slice(0, keep));
    return (id) => distances[id] > furthest && !kept.has(id);
  });
}

/** `epsilon_cutoff` (Hewitt et al. 2022): only those with at least this probability. */
export function epsilonCutoff(epsilon: number, keep: number): LogitsProcessor {
  return probabilityCutoff(() => fround(epsilon), keep);
}

/** `eta_cutoff` (Hewitt et al. 2022): a cut-off that falls as the entropy rises. */
export function etaCutoff(eta: number, keep: number): LogitsProcessor {
  const most = fround(eta);
  const root = fround(Math.sqrt(most));
  return probabilityCutoff((scores) => Math.min(most, fround(root * fround(Math.exp(-entropyOf(scores))))), keep);
}

function probabilityCutoff(least: (scores: Float32Array) => number, keep: number): LogitsProcessor {
  return filter((scores) => {
    const probabilities = softmax(scores);
    const cut = least(scores);
    const score = kthLargest(scores, Math.min(keep, scores.length));
    return (id) => probabilities[id] < cut && scores[id] < score;
  });
}

/** How many of the likeliest ids {@link topH} looks at. */
const topHCandidates = 100;

/** `top_h` (Potraghloo et al. 2025): the likeliest whose summed entropy stays within this share of all of it. */
export function topH(share: number): LogitsProcessor {
  return filter((scores) => {
    const order = topk(scores, Math.min(topHCandidates, scores.length));
    const best = Float32Array.from(order, (id) => scores[id]);
    const terms = softmax(best).map((p) => fround(-p * fround(Math.log(p))));
    const most = fround(entropyOf(best) * fround(share));
    const sums = cumulative(terms);
    const kept = new Set(order.filter((_, i) => i === 0 || sums[i] <= most));
    return (id) => !kept.has(id);
  });
}

/** Entropy in f32 as torch's Categorical has it: log-probabilities of -inf count as the least number. */
function entropyOf(scores: Float32Array): number {
  const least = -3.4028234663852886e38;
  const probabilities = softmax(scores);
  const terms = logSoftmax(scores).map((log, id) => fround(Math.max(log, least) * probabilities[id]));
  return -fround(terms.reduce((sum, term) => sum + term, 0));
}
