"""A stand-in for Exchange's cmdlets: it keeps what they make in memory and counts each change.

Only the cmdlets and parameters that the reference pages of ExchangePowerShell name are taken.
"""

import functools

from powershell import Switch, Thrown, Unsupported, same, text_of

READ = "Identity ErrorAction"
# Cmdlet: its parameters.
KNOWN = {
    "Get-ConnectionInformation": "", "Connect-ExchangeOnline": "ShowBanner UserPrincipalName",
    "Disconnect-ExchangeOnline": "Confirm ConnectionId",
    "Get-PSSession": "", "New-PSSession": "Name ConfigurationName ConnectionUri Authentication",
    "Import-PSSession": "Session DisableNameChecking", "Remove-PSSession": "",
    "Get-OrganizationConfig": "RetrieveEwsOperationAccessPolicy", "Set-OrganizationConfig": "EwsAllowedAppIDs EwsEnabled",
    "Enable-OrganizationCustomization": "",
    "Get-User": READ, "Get-RoleGroup": READ, "New-RoleGroup": "Name Roles", "Remove-RoleGroup": "Identity Confirm",
    "Get-RoleGroupMember": READ, "Add-RoleGroupMember": "Identity Member",
    "Remove-RoleGroupMember": "Identity Member Confirm",
    "Get-Mailbox": READ + " PublicFolder", "New-Mailbox": "PublicFolder Shared Name PrimarySmtpAddress",
    "Remove-Mailbox": "PublicFolder Identity Confirm", "Get-MailboxFolderStatistics": "Identity",
    "Get-MailboxPermission": READ + " User",
    "Add-MailboxPermission": "Identity User AccessRights InheritanceType AutoMapping",
    "Remove-MailboxPermission": "Identity User AccessRights InheritanceType Confirm",
    "Get-PublicFolder": READ + " Recurse ResultSize GetChildren Mailbox ResidentFolders", "New-PublicFolder": "Name Path",
    "Remove-PublicFolder": "Identity Confirm", "Get-PublicFolderStatistics": "Identity",
    "Get-PublicFolderClientPermission": READ + " User",
    "Add-PublicFolderClientPermission": "Identity User AccessRights",
    "Remove-PublicFolderClientPermission": "Identity User Confirm",
    "Get-MailPublicFolder": READ, "Enable-MailPublicFolder": "Identity", "Disable-MailPublicFolder": "Identity Confirm",
    "Set-MailPublicFolder": "Identity RequireSenderAuthenticationEnabled",
    "Get-TransportRule": READ, "New-TransportRule": "Name FromScope SentToScope BlindCopyTo Mode Comments",
    "Set-TransportRule": "Identity FromScope SentToScope BlindCopyTo Mode",
    "Enable-TransportRule": "Identity Confirm", "Remove-TransportRule": "Identity Confirm",
    "Get-ServicePrincipal": "", "New-ServicePrincipal": "AppId ObjectId DisplayName",
    "Remove-ServicePrincipal": "Identity Confirm",
    "Get-ManagementScope": READ, "New-ManagementScope": "Name RecipientRestrictionFilter",
    "Set-ManagementScope": "Identity RecipientRestrictionFilter", "Remove-ManagementScope": "Identity Confirm",
    "Get-ManagementRoleAssignment": READ + " RoleAssignee",
    "New-ManagementRoleAssignment": "Name Role App User SecurityGroup CustomResourceScope CustomRecipientWriteScope",
    "Remove-ManagementRoleAssignment": "Identity Confirm",
    "Get-DistributionGroup": READ, "New-DistributionGroup": "Type Name", "Remove-DistributionGroup": "Identity Confirm",
    "Get-DistributionGroupMember": READ, "Add-DistributionGroupMember": "Identity Member",
    "Remove-DistributionGroupMember": "Identity Member Confirm",
    "Get-ApplicationAccessPolicy": "",
    "New-ApplicationAccessPolicy": "AppId PolicyScopeGroupId AccessRight Description",
    "Remove-ApplicationAccessPolicy": "Identity Confirm",
}
QUIET = {"Connect-ExchangeOnline", "Disconnect-ExchangeOnline", "New-PSSession", "Import-PSSession", "Remove-PSSession"}


def guid(account):
    return f"guid of {account}".lower()


class Exchange:
    """One organisation."""

    def __init__(self, settings):
        self.changes = []
        self.sessions, self.signs_in = [], None
        self.organization = {"IsDehydrated": True, "PublicFoldersEnabled": "Local", "EwsEnabled": False,
                             "EwsAllowedAppIDs": None, **settings}
        self.things = {"RoleGroup": [], "Mailbox": [], "PublicFolder": [], "MailPublicFolder": [], "TransportRule": [],
                       "ServicePrincipal": [], "ManagementScope": [], "ManagementRoleAssignment": [],
                       "DistributionGroup": [], "ApplicationAccessPolicy": []}

    def call(self, name, parameters, piped):
        if name not in KNOWN:
            raise Unsupported(f"cmdlet {name}")
        unknown = set(parameters) - set(KNOWN[name].split()) - {"ErrorAction"}
        if unknown:
            raise Unsupported(f"{name} has no parameter {unknown}")
        verb, noun = name.split("-")
        if not self.connected and name not in QUIET and noun not in ("ConnectionInformation", "PSSession"):
            raise Thrown(f"{name} is not known before the connection")
        cleared = (None, "") if verb != "Set" else ("",)
        for empty in [key for key, value in parameters.items() if value in cleared]:
            raise Thrown(f"{name} -{empty} is empty")
        if verb in ("Remove", "Disable") and "Confirm" in KNOWN[name] and parameters.get("Confirm") is not False:
            raise Thrown(f"{name} asks for a confirmation")
        if verb != "Get" and parameters.get("ErrorAction") != "Stop":
            raise Unsupported(f"{name} would let the script go on after its failure")
        if verb != "Get" and name not in QUIET:
            self.changes.append(name)
        if verb != "Get":
            parameters = {key: value for key, value in parameters.items() if key != "ErrorAction"}
        special = getattr(self, f"{verb}_{noun}".lower(), None)
        if name == "Remove-PSSession":
            return special(parameters, piped)
        return (special or getattr(self, verb.lower() + "_thing"))(*(() if special else (noun,)), parameters)

    def found(self, noun, identity, keys=("Name", "PrimarySmtpAddress", "Identity", "ObjectId")):
        return [one for one in self.things[noun] if any(same(one.get(key, ""), identity) for key in keys)]

    def only(self, noun, identity):
        found = self.found(noun, identity)
        if len(found) != 1:
            raise Thrown(f"{len(found)} of {noun} {identity!r}")
        return found[0]

    def get_thing(self, noun, parameters):
        if "Identity" not in parameters:
            return list(self.things[noun])
        found = self.found(noun, parameters["Identity"])
        return self.or_error(found, f"there is no {noun} {parameters['Identity']!r}", parameters)

    @staticmethod
    def or_error(found, message, parameters):
        if not found and parameters.get("ErrorAction") != "SilentlyContinue":
            raise Thrown(message)
        return found

    def new_thing(self, noun, parameters):
        key = "Name" if "Name" in parameters else "AppId"
        if self.found(noun, parameters[key], (key,)):
            raise Thrown(f"{noun} {parameters[key]!r} exists")
        thing = {"Identity": f"{noun} {len(self.things[noun])}", **parameters}
        self.things[noun].append(thing)
        return [thing]

    def set_thing(self, noun, parameters):
        thing = self.only(noun, parameters["Identity"])
        thing.update({key: value for key, value in parameters.items() if key != "Identity"})
        return []

    def remove_thing(self, noun, parameters):
        self.things[noun].remove(self.only(noun, parameters["Identity"]))
        return []

    def get_connectioninformation(self, _):
        return [one for one in self.sessions if "ConnectionId" in one]

    def connect_exchangeonline(self, parameters):
        self.sessions.append({"State": "Connected", "ConnectionId": f"connection {len(self.sessions)}",
                              "UserPrincipalName": self.signs_in or parameters.get("UserPrincipalName", "")})
        return []

    def disconnect_exchangeonline(self, parameters):
        self.sessions = [one for one in self.sessions if one.get("ConnectionId") != parameters["ConnectionId"]]
        return []

    def get_pssession(self, _):
        return [one for one in self.sessions if "ComputerName" in one]

    def new_pssession(self, parameters):
        return [{"ConfigurationName": parameters["ConfigurationName"], "State": "Opened", "Name": parameters["Name"],
                 "ComputerName": parameters["ConnectionUri"].split("/")[2]}]

    def import_pssession(self, parameters):
        self.organization["IsDehydrated"] = False
        self.sessions.append(parameters["Session"])
        return []

    def remove_pssession(self, _, piped):
        self.sessions = [one for one in self.sessions if one not in piped]
        return []

    @property
    def connected(self):
        return bool(self.sessions)

    def get_user(self, parameters):
        return [{"Guid": guid(parameters["Identity"])}]

    def get_organizationconfig(self, parameters):
        if isinstance(parameters.get("RetrieveEwsOperationAccessPolicy"), Switch):
            return [self.organization]
        return [{**self.organization, "EwsAllowedAppIDs": None}]

    def set_organizationconfig(self, parameters):
        self.organization.update(parameters)
        return []

    def enable_organizationcustomization(self, _):
        if not self.organization["IsDehydrated"]:
            raise Thrown("the organisation is customised already")
        self.organization["IsDehydrated"] = False
        return []

    def new_rolegroup(self, parameters):
        if self.organization["IsDehydrated"]:
            raise Thrown("Enable-OrganizationCustomization has to come first")
        return self.new_thing("RoleGroup", {**parameters, "Members": []})

    def new_distributiongroup(self, parameters):
        kind = {"Security": "MailUniversalSecurityGroup", "Distribution": "MailUniversalDistributionGroup"}
        details = kind[parameters["Type"]]
        return self.new_thing("DistributionGroup", {**parameters, "RecipientTypeDetails": details, "Members": []})

    def members(self, noun, parameters):
        groups = self.get_thing(noun, parameters)
        # An account without a mailbox is in a role group by its GUID alone.
        return [{"PrimarySmtpAddress": "" if noun == "RoleGroup" else one, "Guid": guid(one)}
                for group in groups for one in group["Members"]]

    def add_member(self, noun, parameters):
        self.only(noun, parameters["Identity"])["Members"].append(parameters["Member"])
        return []

    def remove_member(self, noun, parameters):
        self.only(noun, parameters["Identity"])["Members"].remove(parameters["Member"])
        return []

    get_rolegroupmember = functools.partialmethod(members, "RoleGroup")
    add_rolegroupmember = functools.partialmethod(add_member, "RoleGroup")
    remove_rolegroupmember = functools.partialmethod(remove_member, "RoleGroup")
    get_distributiongroupmember = functools.partialmethod(members, "DistributionGroup")
    add_distributiongroupmember = functools.partialmethod(add_member, "DistributionGroup")
    remove_distributiongroupmember = functools.partialmethod(remove_member, "DistributionGroup")

    def new_applicationaccesspolicy(self, parameters):
        if self.found("Mailbox", parameters["PolicyScopeGroupId"]):
            raise Thrown("a shared mailbox is no security principal")
        self.only("DistributionGroup", parameters["PolicyScopeGroupId"])
        return self.new_thing("ApplicationAccessPolicy", parameters)

    def get_mailbox(self, parameters):
        kind = "PublicFolderMailbox" if "PublicFolder" in parameters else "SharedMailbox"
        named = self.found("Mailbox", parameters["Identity"]) if "Identity" in parameters else self.things["Mailbox"]
        found = [one for one in named if one["RecipientTypeDetails"] == kind]
        return self.or_error(found, f"there is no mailbox {parameters.get('Identity')!r}", parameters)

    def new_mailbox(self, parameters):
        kind = "PublicFolderMailbox" if isinstance(parameters.get("PublicFolder"), Switch) else "SharedMailbox"
        return self.new_thing("Mailbox", {**parameters, "RecipientTypeDetails": kind, "Permissions": {}, "Items": 0})

    def get_mailboxfolderstatistics(self, parameters):
        return [{"Name": "Inbox", "ItemsInFolder": self.only("Mailbox", parameters["Identity"])["Items"]}]

    def get_mailboxpermission(self, parameters):
        mailboxes = self.get_thing("Mailbox", parameters)
        held = [one["Permissions"].get(parameters["User"]) for one in mailboxes]
        return [{"AccessRights": [right], "Deny": False} for right in held if right]

    def add_mailboxpermission(self, parameters):
        self.only("Mailbox", parameters["Identity"])["Permissions"][parameters["User"]] = parameters["AccessRights"]
        return []

    def remove_mailboxpermission(self, parameters):
        del self.only("Mailbox", parameters["Identity"])["Permissions"][parameters["User"]]
        return []

    def get_publicfolder(self, parameters):
        if isinstance(parameters.get("ResidentFolders"), Switch):
            home = parameters["Mailbox"]
            resident = [one for one in self.things["PublicFolder"] if same(one["ContentMailboxName"], home)]
            return [{"Name": "IPM_SUBTREE"}, *resident]
        identity = parameters["Identity"]
        if isinstance(parameters.get("GetChildren"), Switch):
            return [one for one in self.things["PublicFolder"] if same(one["Parent"], identity)]
        return self.get_thing("PublicFolder", parameters)

    def new_publicfolder(self, parameters):
        parent = parameters["Path"]
        homes = [one for one in self.things["Mailbox"] if one["RecipientTypeDetails"] == "PublicFolderMailbox"]
        if not homes:
            raise Thrown("there is no mailbox for public folders")
        if parent != "\\":
            self.only("PublicFolder", parent)
        identity = parent.rstrip("\\") + "\\" + parameters["Name"]
        if self.found("PublicFolder", identity, ("Identity",)):
            raise Thrown(f"{identity} exists")
        folder = {"Identity": identity, "Parent": parent, "ContentMailboxName": homes[0]["Name"], "Items": 0,
                  "Name": parameters["Name"], "Permissions": {"anonymous": "None", "default": "Author"}}
        self.things["PublicFolder"].append(folder)
        return [folder]

    def get_publicfolderstatistics(self, parameters):
        return [{"ItemCount": self.only("PublicFolder", parameters["Identity"])["Items"]}]

    def get_publicfolderclientpermission(self, parameters):
        folders = self.get_thing("PublicFolder", parameters)
        held = folders[0]["Permissions"].get(parameters["User"].lower()) if folders else None
        found = [{"AccessRights": [held]}] if held else []
        return self.or_error(found, f"no entry for {parameters['User']!r}", parameters)

    def add_publicfolderclientpermission(self, parameters):
        held, user = self.only("PublicFolder", parameters["Identity"])["Permissions"], parameters["User"].lower()
        if held.get(user, "None") != "None":
            raise Thrown(f"an entry for {user!r} exists")
        held[user] = parameters["AccessRights"]
        return []

    def remove_publicfolderclientpermission(self, parameters):
        del self.only("PublicFolder", parameters["Identity"])["Permissions"][parameters["User"].lower()]
        return []

    def enable_mailpublicfolder(self, parameters):
        folder = self.only("PublicFolder", parameters["Identity"])
        mail = {"Identity": folder["Identity"], "PrimarySmtpAddress": "queue-2@tenant.example",
                "RequireSenderAuthenticationEnabled": True}
        self.things["MailPublicFolder"].append(mail)
        return [mail]

    def disable_mailpublicfolder(self, parameters):
        return self.remove_thing("MailPublicFolder", parameters)

    def new_transportrule(self, parameters):
        copies = [parameters["BlindCopyTo"]]
        return self.new_thing("TransportRule", {**parameters, "BlindCopyTo": copies, "State": "Enabled"})

    def set_transportrule(self, parameters):
        return self.set_thing("TransportRule", {**parameters, "BlindCopyTo": [parameters["BlindCopyTo"]]})

    def enable_transportrule(self, parameters):
        self.only("TransportRule", parameters["Identity"])["State"] = "Enabled"
        return []

    def new_managementscope(self, parameters):
        filtered = parameters["RecipientRestrictionFilter"]
        return self.new_thing("ManagementScope", {**parameters, "RecipientFilter": filtered})

    def set_managementscope(self, parameters):
        filtered = parameters["RecipientRestrictionFilter"]
        return self.set_thing("ManagementScope", {**parameters, "RecipientFilter": filtered})

    def new_managementroleassignment(self, parameters):
        group = parameters.get("SecurityGroup")
        if group:
            held = self.only("RoleGroup", group)
            held["Roles"] = [*([held["Roles"]] if isinstance(held["Roles"], str) else held["Roles"]), parameters["Role"]]
            return []
        kind = "User" if "User" in parameters else "ServicePrincipal"
        name = parameters.get("App") or guid(parameters["User"])
        return self.new_thing("ManagementRoleAssignment",
                              {**parameters, "RoleAssigneeName": name, "RoleAssigneeType": kind})

    def get_managementroleassignment(self, parameters):
        if "RoleAssignee" not in parameters:
            return self.get_thing("ManagementRoleAssignment", parameters)
        if "Identity" in parameters:
            raise Thrown("-Identity and -RoleAssignee exclude each other")
        return self.found("ManagementRoleAssignment", parameters["RoleAssignee"], ("User", "App"))

    def summary(self):
        """What there is, as plain values."""
        return {
            "connected": self.connected,
            "organization": {key: value if isinstance(value, (bool, type(None))) else text_of(value)
                             for key, value in self.organization.items()},
            **{noun: [{key: value if isinstance(value, (dict, list, int, str, bool)) else text_of(value)
                       for key, value in one.items()} for one in things] for noun, things in self.things.items()},
        }
