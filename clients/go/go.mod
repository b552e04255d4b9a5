module hotcell

go 1.24.0
