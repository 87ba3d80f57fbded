/** Where the files of the checkpoint are, by their paths in it. Bundlers may have renamed them. */
export declare const files: Readonly<Record<string, URL>>;
