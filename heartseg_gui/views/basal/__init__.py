"""The basal workbench: end diastole and end systole side by side with the long axis."""
