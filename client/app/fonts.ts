import localFont from "next/font/local";

/**
 * Geist from its npm package, served from this origin. Not preloaded: a browser that
 * restores a page without drawing it complains of every preload it did not use, and
 * the fallback has the same metrics, so the swap moves nothing.
 */
export const sans = localFont({
  src: "../node_modules/geist/dist/fonts/geist-sans/Geist-Variable.woff2",
  variable: "--font-geist",
  weight: "100 900",
  display: "swap",
  preload: false,
});
