/** What `--help` prints. */
export const usage = {
  bark: `bark: Suno's Bark text-to-speech on WebGPU

  bark say [TEXT…] [-m MODEL] [-v VOICE] [-o OUT]       speak
  bark book FILE [-v VOICE] [-o FOLDER]                 speak a .txt, .md, .epub or .srt; goes on where it was stopped
  bark serve [-m MODEL] [--port N]                      speak over HTTP, to OpenAI's clients
  bark worker --queue URL --store STORE [-m MODEL]      speak pieces of books that other machines put in
  bark convert SRC DEST [--dtype f32|f16|q8]            rewrite a checkpoint, whatever its format, as safetensors
  bark voices [-m MODEL]                                list the voice presets of a checkpoint
  bark codec encode|decode IN OUT                       audio to the codec's codes, and codes to audio
  bark inspect FILE|-m MODEL                            show what a checkpoint, safetensors or voice file holds
  bark doctor                                           check the adapters and every kernel
  bark bench kernels|explain|generate|encode|results    measure, see \`bark bench --help\`

\`bark COMMAND --help\` shows the flags, \`bark --version\` the version. \`--debug\` adds a stack trace to an error.
Exit codes: 0 done; 1 a fault of ours or the machine's; 2 wrong usage; 3 a bad input file or checkpoint;
4 no usable adapter; 130 interrupted.
`,
  say: `bark say [TEXT…] [-m MODEL] [-v VOICE] [-o OUT]

  TEXT                      what to say, after -- if it begins with a dash; without it (and --file) it is read from
                            standard input
  --file F                  read the text from a file or a pipe
  -m, --model MODEL         a directory, a URL, a model on the Hugging Face hub (owner/name or owner/name@revision),
                            or "nano" (default: the checkpoint in the repository)
  -v, --voice VOICE         a preset's name or a FILE.npz; default: none, and Bark makes one up
  -o, --output OUT          .wav, .mp3, .opus, .ogg, .flac, .aac, .m4a or .pcm; default: bark.wav; "-" is standard
                            output, and all words then go to stderr
  --audio-format F          wav, mp3, opus, flac, aac, m4a or pcm, where no ending says it; default: wav
  --bitrate K               kbit/s of a lossy format; default: mp3, aac and m4a 64, opus 32
  --format pcm16|float32    of a WAV; default: pcm16; float32 writes the unclipped samples
  --play                    also play it as it comes, once it will not run dry, by ffplay, mpv, paplay, aplay, play or
                            what the system has
  --latency exact|low       begin with a clause, to be heard early; low: give sound out while its piece is made, as the
                            fine model hears it then, in its only take
  --lookahead N             of low: frames (75 a second) that must follow what is given out; default: 30
  --save-voice OUT.npz      also write all tokens of the run (of several pieces: the first): a voice for later runs
  --split auto|none         default: auto, pieces of one voice where the text is longer than one run of the model;
                            none: one run, which cuts what is too long
  --language L              of the text, such as de: where its sentences end; default: the voice's, or en
  --cast NAME=VOICE,…       speakers of the lines "NAME: text"
  --gaps KIND=MS,…          silence behind comma, sentence, paragraph, speaker and chapter
  --batch N                 speak N pieces at once; each sounds as it does alone; default: 1
  --loudness L              bring every piece to L LUFS, such as -19; default: as the model makes it
  --words                   estimate when each word is heard, for --vtt, --captions and --json
  --normalize none|basic    basic: numbers, units, addresses and abbreviations in words; default: none, as written
  --lexicon F               how words are spoken: lines of a word, a tab and how; or a JSON object
  --retries N               a piece that came out badly is spoken again up to N times, and the best take kept;
                            default: 2, none if the text is one piece; --strict fails if no take is good
  --takes N                 takes of every piece, the best of which is kept; default: 1
  --carry N                 pieces that each hears behind its voice, within a paragraph; default: 0
  --srt F, --vtt F, --captions F.json
                            what is heard when
  --greedy                  no sampling in any stage
  --temperature T           of all stages; --semantic-temperature, --coarse-temperature and
                            --fine-temperature of one stage
  --top-k K, --top-p P      sample among the K best tokens; among those that together reach probability P
  --min-eos-p P             end the speech once its end has this probability
  --max-semantic-tokens N   end the speech after N semantic tokens
  --seed N                  of the random draws; default: drawn, and shown
                            sampling defaults: the generation config of the checkpoint
  --dtype f32|f16|q8        weights on the GPU; default: as stored
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --low-memory              one sub-model on the GPU at a time, read again for every run
  --json                    one line of JSON on standard output instead of the summary
  --quiet                   no progress, and notices only of lost text or a wrong sound
`,
  book: `bark book FILE [-v VOICE] [-o FOLDER]

  FILE                      .txt, .md, .epub, or captions to be placed at their times: .srt, .vtt
  -o, --output FOLDER       default: the name of FILE with .book; sound, captions and chapters, a report, and the pieces,
                            from which the same command goes on when it was stopped
  --sample                  speak the first minute alone
  --audio-format F          wav, mp3, opus, flac, aac, m4a or pcm; default: wav; an .m4b with chapters where ffmpeg is
  --queue URL               have it spoken by every \`bark worker\` at this Redis (redis://[:PASSWORD@]HOST[:PORT]; or
                            the password in BARK_QUEUE_PASSWORD); the same command attaches again and goes on
  --store STORE             of a farm: a folder that all its machines share, or s3://BUCKET/PREFIX; FOLDER is in it
  --detach                  put it in and do not wait; the same command without it waits and joins
  --pause, --cancel         take out what nobody speaks yet; what was spoken is kept

All flags of \`bark say\` that are about voice, text, sampling, weights and device hold, such as -m, -v, --language,
--cast, --gaps, --batch, --retries, --strict, --bitrate, --seed, --greedy, --temperature, --dtype, --json, --quiet.
`,
  serve: `bark serve [-m MODEL] [--port N] [--host H]

  -m, --model MODEL         as for \`say\` (default: nano)
  -p, --port N              default: 8880; 0: any that is free
  --host H                  default: 127.0.0.1, this machine alone; another one needs a key
  --api-key K,…             keys of which clients send one; BARK_API_KEY hides them from the list of processes
  --no-auth                 nobody is asked for a key, at whatever --host
  --allow-host NAME,…       names by which it is asked for beside those of this machine
  --cors ORIGIN,…           origins of pages that may use it; * is all; default: none
  --alias NAME,…            other names of the model; default: tts-1, tts-1-hd, gpt-4o-mini-tts
  --voices-map NAME=VOICE,… other names of presets; OpenAI's names are presets in turn
  --public-voices           the list of voices needs no key
  --allow-uploads           clients may upload voices (.npz), which are kept in memory for all
  --max-input N             most characters of a text; default: 100000
  --queue-size N            most requests that wait or are spoken; default: 256
  --max-wait N              seconds that a request may wait for its first sound; default: 270
  --batch N                 texts that are spoken at once where several wait; default: 4
  --queue URL               hand long texts to every \`bark worker\` at this Redis (redis://[:PASSWORD@]HOST[:PORT]; or the
                            password in BARK_QUEUE_PASSWORD), before the books there
  --store STORE             of the farm: a folder that its machines share, or s3://BUCKET/PREFIX
  --farm-from N             characters of the shortest text that is a long one; default: 1000
  --drain N                 seconds that requests have to end in when the server is stopped; default: 30
  --web FOLDER              serve this page under /, as \`npm run build:web\` makes it
  --dtype f32|f16|q8        weights on the GPU; default: as stored
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --low-memory              one sub-model on the GPU at a time
  --quiet                   log nothing but what fails
`,
  worker: `bark worker --queue URL --store STORE [-m MODEL]

  --queue URL               redis://[:PASSWORD@]HOST[:PORT], or rediss://; or the password in BARK_QUEUE_PASSWORD
  --store STORE             a folder that all machines of the farm share, or s3://BUCKET/PREFIX (keys, region and endpoint
                            in AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION, AWS_ENDPOINT_URL)
  -m, --model MODEL         as for \`say\` (default: nano); it speaks books of this checkpoint, dtype and version alone
  --dtype f32|f16|q8        as the books ask for; default: as stored
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --low-memory              one sub-model on the GPU at a time
  --quiet                   no progress

Works until Ctrl-C or SIGTERM, then hands the piece under way back and ends with 0.
`,
  convert: `bark convert SRC DEST [--dtype f32|f16|q8]

  SRC                       a checkpoint, as -m of \`bark say\`: a directory with safetensors or pytorch_model.bin (one
                            file or shards), or with suno's own files (text.pt, coarse.pt, fine.pt or text_2.pt, …;
                            encodec_24khz-*.th; vocab.txt). Nothing in it is executed
  DEST                      a directory that does not exist or is empty: it gets config, tokenizer, voices and
                            model.safetensors (above 2 GB in shards)
  --dtype f32|f16|q8        default: as stored. q8: the matrices of attention and MLP in 8 bits, the rest in f16;
                            f32 and f16 load in transformers, too
  --json                    one line of JSON on standard output instead of the summary
  --quiet                   no progress
`,
  voices: `bark voices [-m MODEL] [--preview NAME [-o OUT.wav]]

  -m, --model MODEL         as for \`say\` (default: nano)

  --preview NAME            speak a sentence in the language of this preset
  -o, --output OUT.wav      where to; default: bark.wav

One line a preset: its name, its language and how long its sample lasts.
`,
  codec: `bark codec encode IN.wav OUT.npz|OUT.npy [-m MODEL] [--bandwidth K]
bark codec encode IN.wav OUT.npz --voice [--semantic-from VOICE]
bark codec decode CODES.npz|CODES.npy OUT.wav [--format pcm16|float32]

  encode                    audio of any rate and number of channels to codes [codebooks, frames]
  --bandwidth K             kbit/s, one of the codec's; default: its smallest
  --voice                   write coarse_prompt and fine_prompt of a voice; the semantic_prompt, without which
                            \`say\` takes no voice, needs another model (HuBERT and its quantizer)
  --semantic-from VOICE     take the semantic_prompt of a preset or a FILE.npz: it speaks, but the prompt says other
                            words than the recording
  decode                    codes, or the fine_prompt of a voice, to audio
  --format pcm16|float32    default: pcm16; float32 writes the unclipped samples
  -m, --model MODEL         as for \`say\`, or a checkpoint of EnCodec alone (default: nano, whose encoder knows its own voices alone)
  --device NAME             part of an adapter's name; "software" forces the software adapter
  --quiet                   no progress
`,
  inspect: `bark inspect FILE|MODEL, or -m MODEL

  MODEL                     a checkpoint, as -m of \`bark say\`: its models, weights, tokenizer and voices
  FILE                      .safetensors (metadata and tensors), .pt, .bin or .th of torch (tensors), .npz or
                            .npy (arrays)
`,
  doctor: `bark doctor [--device NAME]

  --device NAME             part of an adapter's name; "software" forces the software adapter

Lists the adapters with limits and features, runs every kernel against its reference on the one that
\`bark say\` would take, and says what to install for a faster one.
`,
} as const;
