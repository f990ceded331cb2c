import type { ComponentProps } from "react";
import { classNames } from "@/lib/class-names";

const looks = {
  primary: "bg-accent text-on-accent hover:bg-accent-strong disabled:hover:bg-accent shadow-sm",
  plain: "border border-line bg-surface text-ink hover:border-line-strong",
  quiet: "text-muted hover:bg-line/50 hover:text-ink",
  danger: "border border-line bg-surface text-bad hover:border-bad",
} as const;

const sizes = {
  small: "min-h-8 px-2.5 text-sm",
  normal: "min-h-11 px-4 text-[0.9375rem] sm:min-h-10",
} as const;

interface ButtonLook {
  look?: keyof typeof looks;
  size?: keyof typeof sizes;
}

/** The class names of a button, for a link that should look like one. */
export function buttonClass({ look = "plain", size = "normal" }: ButtonLook = {}): string {
  return classNames(
    "inline-flex select-none items-center justify-center gap-1.5 rounded-field font-medium",
    "transition-colors duration-150 disabled:opacity-55 aria-disabled:opacity-70",
    looks[look],
    sizes[size],
  );
}

/** A button. It submits nothing unless `type="submit"` says so. */
export function Button({
  look,
  size,
  className,
  type = "button",
  ...rest
}: ComponentProps<"button"> & ButtonLook) {
  const own = buttonClass({ ...(look && { look }), ...(size && { size }) });
  return <button type={type} className={classNames(own, className)} {...rest} />;
}
