import type { Metadata } from "next";
import { AccountPage } from "@/components/account/account-page";
import { ResetForm } from "@/components/account/reset-form";

export const metadata: Metadata = { title: "New password" };

export default function ResetPage() {
  return (
    <AccountPage
      title="Set a new password"
      lead="Whoever runs this server can make a code for an account whose password was forgotten. It works once."
    >
      <ResetForm />
    </AccountPage>
  );
}
