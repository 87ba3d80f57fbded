/** The bundled text of the AudioWorklet. The build for bundlers fills it; elsewhere the file is fetched. */
export const workletText: string | undefined = undefined;
