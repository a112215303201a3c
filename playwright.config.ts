import { defineConfig } from "playwright/test";

const PORT = Number(process.env.FUSESTUDIO_E2E_PORT ?? 4180);

/** The journeys run on the built folder, as a visitor gets it. */
export default defineConfig({
  testDir: "e2e",
  testMatch: "**/*.e2e.ts",
  timeout: 120_000,
  expect: { timeout: 20_000 },
  fullyParallel: false,
  // Every journey computes on the same software GPU, so two at once would only wait for each other.
  workers: 1,
  forbidOnly: true,
  // A second try on a machine that others may load; the report names what needed it.
  retries: process.env.CI ? 1 : 0,
  reporter: process.env.FUSESTUDIO_E2E_REPORT
    ? [["list"], ["json", { outputFile: process.env.FUSESTUDIO_E2E_REPORT }]]
    : [["list"]],
  outputDir: "test-results",
  use: {
    baseURL: `http://localhost:${PORT}/`,
    trace: { mode: "retain-on-failure", screenshots: false },
  },
  webServer: {
    command: `node node_modules/vite/bin/vite.js build --logLevel warn && node node_modules/vite/bin/vite.js preview --port ${PORT} --strictPort`,
    port: PORT,
    reuseExistingServer: false,
    timeout: 120_000,
  },
});
