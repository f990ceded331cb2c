import { Panel } from "@/components/ui/panel";
import { savableEmail } from "@/lib/demo-fields";
import { dollarsText, monthsText } from "@/lib/format";
import { CheckSetting } from "./check-setting";
import { LiveField } from "./live-field";
import { SliderSetting } from "./slider-setting";
import { TextSetting } from "./text-setting";

/** Block 1 of the demo: who the user is. */
export function UserForm() {
  return (
    <Panel title="User form (block 1 to sync)">
      <div className="space-y-3">
        <LiveField field="user.username">
          {(props) => <TextSetting {...props} label="Username" maxLength={64} />}
        </LiveField>
        <LiveField field="user.email">
          {(props) => (
            <TextSetting
              {...props}
              label="Email Address"
              type="email"
              maxLength={254}
              savable={savableEmail}
            />
          )}
        </LiveField>
        <LiveField field="user.acceptedTerms">
          {(props) => <CheckSetting {...props} label="I've read the terms and conditions" />}
        </LiveField>
      </div>
    </Panel>
  );
}

/** Block 2 of the demo: what is paid, and how often. */
export function BillingForm() {
  return (
    <Panel title="Billing form (block 2 to sync)">
      <div className="space-y-3">
        <LiveField field="billing.period">
          {(props) => (
            <SliderSetting
              {...props}
              label={(period) => `Billing period ${period} month`}
              valueText={monthsText}
              min={1}
              max={12}
            />
          )}
        </LiveField>
        <LiveField field="billing.salary">
          {(props) => (
            <SliderSetting
              {...props}
              label={(salary) => `Salary $${salary}`}
              valueText={dollarsText}
              min={0}
              max={10_000}
            />
          )}
        </LiveField>
      </div>
    </Panel>
  );
}
