
,
xPlaceholder*
shape:*
dtype0

	WriteFile	WriteFilexx"ª