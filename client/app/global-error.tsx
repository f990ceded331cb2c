"use client";

import "./globals.css";
import PageError from "./error";
import { sans } from "./fonts";

/** As `error.tsx`, where even the frame around the pages failed. */
export default function GlobalError() {
  return (
    <html lang="en" className={sans.variable}>
      <body className="flex min-h-dvh flex-col">
        <title>Social server</title>
        <PageError />
      </body>
    </html>
  );
}
