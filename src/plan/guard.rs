//! Who may be sent traffic: loopback always, anything else only when `squall.targets.ron` or a flag names it. Pure rules.
