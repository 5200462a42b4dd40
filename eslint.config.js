// What eslint finds in the scripts: mistakes, not style. `make lint` runs it.

import js from "@eslint/js";
import globals from "globals";

const PAGE = ["blood_lib/dashboard/server/jupyter/**/*.js"]; // loaded by Voilà's page, each a script and no module

export default [
  { ignores: [".venv/", "build/", "data/", "dist/", "models/", "runs/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  { ...js.configs.recommended, files: ["**/*.js"] },
  { files: ["**/*.js"], rules: { eqeqeq: "error", "no-unused-vars": "error", "no-undef": "error", "prefer-const": "error" } },
  { files: ["blood_lib/**/*.js"], languageOptions: { globals: globals.browser } },
  { files: ["tests/**/*.js"], languageOptions: { globals: globals.nodeBuiltin } },
  { files: PAGE, languageOptions: { sourceType: "script" } },
];
