"""What lies in another form, archives and arrays, as folders that sources read: for the copy in a project."""
