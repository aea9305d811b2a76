// Jest's transform of a mutation run: as everywhere (jest.preset.mjs), but for the one file that the run mutates, whose text comes from
// the runner. So no file changes, and the packages that import it from source get the mutant too.
import swcJest from '@swc/jest';

const { MUTANT_FILE, MUTANT_TEXT } = process.env;

export default {
  createTransformer(options) {
    const swc = swcJest.createTransformer(options);
    const mutate = (source, file) => (file === MUTANT_FILE ? MUTANT_TEXT : source);
    return {
      canInstrument: swc.canInstrument,
      process: (source, file, more) => swc.process(mutate(source, file), file, more),
      processAsync: (source, file, more) => swc.processAsync(mutate(source, file), file, more),
      getCacheKey: (source, file, more) => swc.getCacheKey(mutate(source, file), file, more),
    };
  },
};
