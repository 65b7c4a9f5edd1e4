/** The directory of package.json, templates and fixtures, as seen from the compiled file in dist/cli. */
export const packageRoot = new URL('../../../', import.meta.url);
