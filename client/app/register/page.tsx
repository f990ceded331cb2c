import type { Metadata } from "next";
import { AccountPage } from "@/components/account/account-page";
import { RegisterForm } from "@/components/account/register-form";

export const metadata: Metadata = { title: "Register a device" };

export default function RegisterPage() {
  return (
    <AccountPage
      title="Register a device"
      lead="A device is this browser, a phone or a script. The first one with an e-mail address makes its account; later ones join it with the same password."
    >
      <RegisterForm />
    </AccountPage>
  );
}
