//! Words to make people of.

pub(crate) const FIRST: &[&str] = &[
    "Adaeze", "Aiko", "Amara", "Anders", "Anika", "Beatriz", "Bjorn", "Carmen", "Chidi", "Chloe", "Dalia",
    "Daniel", "Devon", "Elena", "Emeka", "Esther", "Farid", "Fiona", "Gabriel", "Greta", "Hana", "Hassan",
    "Ines", "Ivan", "Jamal", "Jorge", "Kaya", "Kofi", "Laila", "Leon", "Lucia", "Magnus", "Maya", "Mei",
    "Mateo", "Nadia", "Noah", "Olga", "Omar", "Paula", "Priya", "Quentin", "Rafael", "Rosa", "Ruth", "Samir",
    "Sofia", "Tariq", "Tessa", "Thandi", "Uma", "Victor", "Wanda", "Xavier", "Yara", "Yusuf", "Zeynep",
    "Zoran",
];

pub(crate) const LAST: &[&str] = &[
    "Abebe", "Alvarez", "Andersen", "Baptiste", "Bauer", "Becker", "Castillo", "Chen", "Costa", "Diallo",
    "Dubois", "Eriksen", "Farouk", "Fischer", "Garcia", "Gupta", "Haddad", "Hansen", "Ibrahim", "Ito",
    "Jansen", "Johnson", "Kaur", "Kim", "Kowalski", "Kumar", "Laurent", "Lopez", "Mbeki", "Mensah", "Moreau",
    "Murphy", "Nakamura", "Nguyen", "Novak", "Okafor", "Oliveira", "Park", "Patel", "Petrov", "Quinn",
    "Rahman", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Suzuki", "Tanaka", "Torres", "Ueda", "Vargas",
    "Weber", "Wong", "Yilmaz", "Zhang",
];

/// A department and its titles.
pub(crate) type Department = (&'static str, &'static [&'static str]);

pub(crate) const DEPARTMENTS: &[Department] = &[
    (
        "Engineering",
        &["Software Engineer", "Senior Software Engineer", "Staff Engineer", "Site Reliability Engineer"],
    ),
    ("Engineering", &["Data Engineer", "Test Engineer", "Engineering Manager"]),
    ("Finance", &["Accountant", "Financial Analyst", "Payroll Specialist", "Controller", "Treasury Analyst"]),
    ("Sales", &["Account Executive", "Sales Engineer", "Sales Operations Analyst", "Regional Director"]),
    ("Marketing", &["Content Strategist", "Product Marketing Manager", "Designer"]),
    ("People", &["Recruiter", "People Partner", "Benefits Analyst"]),
    ("Legal", &["Counsel", "Paralegal", "Privacy Officer"]),
    ("IT", &["Systems Administrator", "Help Desk Analyst", "Identity Engineer", "Network Engineer"]),
    ("Operations", &["Logistics Planner", "Procurement Specialist", "Facilities Coordinator"]),
    ("Support", &["Support Engineer", "Customer Success Manager"]),
];

pub(crate) const GROUPS: &[&str] = &[
    "VPN Users",
    "GitHub Developers",
    "Salesforce Users",
    "All Remote",
    "Expense Approvers",
    "AWS Read Only",
    "AWS Production",
    "Contractors",
    "Zoom Licensed",
    "Data Warehouse",
    "On-call",
    "Security Champions",
    "Sales",
    "Sales EMEA",
];

pub(crate) const APPS: &[&str] = &[
    "Google Workspace",
    "Salesforce",
    "GitHub Enterprise",
    "AWS IAM Identity Center",
    "Workday",
    "ServiceNow",
    "Jira",
    "Confluence",
    "Zoom",
    "Slack",
    "Concur",
    "NetSuite",
    "Snowflake",
    "Tableau",
    "DocuSign",
    "Figma",
    "PagerDuty",
    "Datadog",
    "1Password",
    "Box",
];
