"""One form schema, four uses: the web form, the Excel template, the row check and the API component."""
