import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { BarkStage } from "../bark/generate/output.ts";
import type { RunReport } from "./backend/shared_model.ts";

/** What can be read at any moment. */
export interface MetricSources {
  readonly requests: () => number;
  readonly seconds: () => number;
  readonly gpuBytes: () => number;
}

const seconds = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const factors = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 5, 10, 30];

/** What `/metrics` tells, of one server. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = this.#counter("bark_requests_total", "Answers by route and status.", ["route", "status"]);
  readonly #aborted = this.#counter("bark_aborted_total", "Requests whose client went away.");
  readonly #retries = this.#counter("bark_retries_total", "Takes beyond the first of a piece.");
  readonly #sound = this.#counter("bark_audio_seconds_total", "Seconds of sound that were given out.");
  readonly #tokens = this.#counter("bark_tokens_total", "Tokens that were made, by stage.", ["stage"]);
  readonly #stageSeconds = this.#counter("bark_stage_seconds_total", "Time of the stages.", ["stage"]);
  readonly #wait = this.#histogram("bark_wait_seconds", "From a piece's place in the queue to its run.", seconds);
  readonly #firstSound = this.#histogram("bark_first_sound_seconds", "From a request to its first bytes.", seconds);
  readonly #factor = this.#histogram("bark_real_time_factor", "Time of a run for the time of its sound.", factors);
  readonly #rows = this.#histogram("bark_batch_rows", "Texts that were spoken in one run.", [1, 2, 3, 4, 8, 16]);

  constructor({ requests, seconds, gpuBytes }: MetricSources) {
    this.#gauge("bark_queue_requests", "Requests that wait or are spoken.", requests);
    this.#gauge("bark_queue_seconds", "Estimated seconds until they are spoken.", seconds);
    this.#gauge("bark_gpu_bytes", "Bytes alive on the GPU.", gpuBytes);
    this.#gauge("bark_resident_bytes", "Memory of the process.", () => process.memoryUsage.rss());
  }

  answered(route: string, status: number): void {
    this.#requests.inc({ route, status });
  }

  aborted(): void {
    this.#aborted.inc();
  }

  firstSound(milliseconds: number): void {
    this.#firstSound.observe(milliseconds / 1000);
  }

  /** Sound that a client got, and takes that were needed for it. */
  gaveOut(soundSeconds: number, retries: number): void {
    this.#sound.inc(soundSeconds);
    this.#retries.inc(retries);
  }

  /** @param rate samples a second. */
  ran({ rows, milliseconds, waited, outputs }: RunReport, rate: number): void {
    this.#rows.observe(rows);
    for (const time of waited) this.#wait.observe(time / 1000);
    const samples = outputs.reduce((sum, { output_lengths }) => sum + output_lengths[0], 0);
    if (samples > 0) this.#factor.observe(milliseconds / 1000 / (samples / rate));
    for (const { semantic, coarse, fine, milliseconds } of outputs) {
      this.#tokens.inc({ stage: "semantic" }, semantic[0].length);
      this.#tokens.inc({ stage: "coarse" }, coarse[0].length);
      this.#tokens.inc({ stage: "fine" }, fine.size);
      for (const [stage, time] of Object.entries(milliseconds) as [BarkStage, number][])
        this.#stageSeconds.inc({ stage }, time / 1000);
    }
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    return await this.#registry.metrics();
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, buckets: number[]): Histogram {
    return new Histogram({ name, help, buckets, registers: [this.#registry] });
  }

  #gauge(name: string, help: string, read: () => number): void {
    void new Gauge({
      ...{ name, help, registers: [this.#registry] },
      collect() {
        this.set(read());
      },
    });
  }
}
