/** Where the build has put the files of the effects (build/effect_files.ts). */
declare const EFFECT_PATHS: { readonly vision: string; readonly rnnoise: string };
