import type { ReactNode } from "react";

/** The few pictures this client needs, drawn on a 16 × 16 grid. */
const shapes = {
  sun: (
    <>
      <circle cx="8" cy="8" r="2.75" />
      <path d="M8 1.25v1.5M8 13.25v1.5M1.25 8h1.5M13.25 8h1.5M3.25 3.25l1 1M11.75 11.75l1 1M12.75 3.25l-1 1M4.25 11.75l-1 1" />
    </>
  ),
  moon: <path d="M13.25 9.5A5.75 5.75 0 0 1 6.5 2.75a5.75 5.75 0 1 0 6.75 6.75Z" />,
  screen: (
    <>
      <rect x="1.75" y="2.75" width="12.5" height="8.5" rx="1.5" />
      <path d="M5.5 13.75h5" />
    </>
  ),
  check: <path d="m3.25 8.5 3.1 3.1 6.4-7.1" />,
  reset: (
    <>
      <path d="M3 8.5a5 5 0 1 0 1.4-4L2.75 6.1" />
      <path d="M2.75 2.75V6.1H6.1" />
    </>
  ),
  clock: (
    <>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 4.75V8l2.1 1.5" />
    </>
  ),
  alert: (
    <>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M8 5v3.5M8 10.9v.1" />
    </>
  ),
  question: (
    <>
      <circle cx="8" cy="8" r="5.75" />
      <path d="M6.35 6.4a1.7 1.7 0 1 1 2.5 1.5c-.55.3-.85.65-.85 1.2v.15M8 11.2v.1" />
    </>
  ),
  cross: <path d="m4 4 8 8M12 4l-8 8" />,
  arrow: <path d="M2.75 8h10.5M9.5 4.25 13.25 8 9.5 11.75" />,
  pencil: <path d="M10.6 2.9 13.1 5.4 5.6 12.9l-3.1.6.6-3.1 7.5-7.5Z" />,
  chevron: <path d="m6 3.5 4.5 4.5L6 12.5" />,
} satisfies Record<string, ReactNode>;

/** Name of a picture {@link Icon} can draw. */
export type IconName = keyof typeof shapes;

/** A picture beside words; hidden from screen readers, since the words say it. */
export function Icon({ name, className = "size-4" }: { name: IconName; className?: string }) {
  return (
    <svg
      aria-hidden="true"
      className={`shrink-0 ${className}`}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      {shapes[name]}
    </svg>
  );
}
