import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** What a browser gives a page. */
const browser = [
  ...[
    'AbortController',
    'AbortSignal',
    'Option',
    'TextDecoderStream',
    'URL',
    'URLSearchParams',
    'addEventListener',
  ],
  ...[
    'clearInterval',
    'clearTimeout',
    'crypto',
    'document',
    'fetch',
    'getComputedStyle',
    'history',
    'innerHeight',
  ],
  ...['innerWidth', 'localStorage', 'location', 'navigator', 'performance', 'sessionStorage', 'setInterval'],
  ...['setTimeout', 'window'],
];

export default tseslint.config(
  { ignores: ['dist/', '.tap/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['web/pages/*.js'],
    languageOptions: { globals: Object.fromEntries(browser.map((name) => [name, 'readonly'])) },
  },
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // The floating promise is this product's bug class.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // One instance of a class whose life is its state reads better than a bag of closures.
      '@typescript-eslint/no-extraneous-class': 'off',
    },
  },
);
