import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

// The page's policy allows nothing inline and nothing from elsewhere, so everything becomes a file of its own with a hashed name.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: ['chrome123', 'firefox120', 'safari17.5'],
  },
});
