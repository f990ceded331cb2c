/** Two devices holding one setting: the same drawing as app/icon.svg. */
export function LogoMark() {
  return (
    <svg aria-hidden="true" className="size-8 shrink-0" viewBox="0 0 32 32" fill="none">
      <rect width="32" height="32" rx="9" className="fill-accent" />
      <g className="stroke-on-accent" strokeWidth="2.25" strokeLinecap="round">
        <path d="M8 12h4M19.5 12H24M8 20h6.5M22 20h2" />
        <circle cx="15.75" cy="12" r="2.75" />
        <circle cx="18.25" cy="20" r="2.75" />
      </g>
    </svg>
  );
}
