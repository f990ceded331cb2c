import type { NextConfig } from "next";
import { PHASE_DEVELOPMENT_SERVER } from "next/constants";

/** Where `next dev` finds the Go server. The WebSocket passes through the same proxy. */
const api = process.env.DEV_API_ORIGIN ?? "http://localhost:3000";

/**
 * The client is exported as static files that the Go server embeds, so a running
 * system has one process and one origin. Only `next dev` needs a proxy, and Next
 * warns when `rewrites` meets `output: "export"`: hence the split by phase.
 */
export default function config(phase: string): NextConfig {
  const serving: NextConfig =
    phase === PHASE_DEVELOPMENT_SERVER
      ? { rewrites: async () => [{ source: "/api/:path*", destination: `${api}/api/:path*` }] }
      : { output: "export" };
  return {
    poweredByHeader: false,
    agentRules: false,
    images: { unoptimized: true },
    experimental: { agentUpgrade: false },
    ...serving,
  };
}
